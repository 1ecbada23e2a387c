import { z } from 'zod';
import { problem } from '../http/problem.ts';
import { defineRoute, integerText, reply, text, type Route } from '../http/routes.ts';
import { acknowledgementOf, type IncidentDocument, type IncidentStore } from './store.ts';

const time = z.iso.datetime();

/** What its service can say of an open incident at the moment of reading, such as whom it concerns. */
export interface Explanation<Schema extends z.ZodType> {
  readonly schema: Schema;
  readonly of: (incident: IncidentDocument) => Promise<z.input<Schema> | null>;
}

export interface IncidentParts<Schema extends z.ZodType> {
  readonly incidents: IncidentStore;
  readonly explanation?: Explanation<Schema>;
}

/** Reading and acknowledging incidents: the same routes in every service that has some. */
export function incidentRoutes<Schema extends z.ZodType = z.ZodNull>({ incidents, explanation }: IncidentParts<Schema>): Route[] {
  const incident = z
    .object({
      kind: z.string().meta({ description: 'What is wrong, such as oversold.' }),
      subject: z.string().meta({
        description:
          'What it is about: a SKU; or store and order, or store and listing, each encoded, with a slash between. In an address it is encoded once more.',
      }),
      state: z.enum(['open', 'closed']).meta({ description: 'Opened and closed by what is, never by a person.' }),
      count: z.int().meta({ description: 'How often it has opened since it was first raised within an hour.' }),
      openedAt: time,
      closedAt: time.nullable(),
      details: z.record(z.string(), z.string()).meta({ description: 'As they were when it opened.' }),
      acknowledged: z.object({ user: z.string(), at: time }).nullable().meta({ description: 'Who has seen the present opening.' }),
      ...(explanation
        ? { explanation: explanation.schema.nullable().meta({ description: 'As it is now; null where there is none.' }) }
        : {}),
    })
    .meta({ id: 'Incident' });

  async function shown(document: IncidentDocument): Promise<z.input<typeof incident>> {
    const { kind, subject, state, count, openedAt, closedAt, details } = document;
    const seen = acknowledgementOf(document);
    return {
      kind,
      subject,
      state,
      count,
      openedAt: openedAt.toISOString(),
      closedAt: closedAt?.toISOString() ?? null,
      details: { ...details },
      acknowledged: seen && { user: seen.user, at: seen.at.toISOString() },
      ...(explanation ? { explanation: state === 'open' ? await explanation.of(document) : null } : {}),
    };
  }

  const params = z.strictObject({ kind: text(64), subject: text(2_000) });
  const unknown = ({ kind, subject }: z.output<typeof params>) =>
    problem(404, {
      type: 'unknown-incident',
      detail: `There never was an incident ${kind} about ${subject}. GET /incidents lists those that there are.`,
    });

  return [
    defineRoute({
      method: 'get',
      path: '/incidents',
      summary: "The tenant's incidents",
      roles: [],
      query: z.strictObject({
        state: z.enum(['open', 'closed']).optional(),
        kind: text(64).optional(),
        after: text(4_000).optional().meta({ description: '`next` of the page before.' }),
        limit: integerText({ minimum: 1, maximum: 500 }).default(100),
      }),
      responses: { 200: { description: 'One page', schema: z.object({ incidents: z.array(incident), next: z.string().nullable() }) } },
      async handle({ identity: { tenant }, query }) {
        const found = await incidents.page({ tenant, ...query });
        const next = found.length === query.limit ? (found.at(-1)?._id ?? null) : null;
        return reply(200, { incidents: await Promise.all(found.map(shown)), next });
      },
    }),
    defineRoute({
      method: 'get',
      path: '/incidents/:kind/:subject',
      summary: 'One incident',
      roles: [],
      params,
      responses: { 200: { description: 'As it is now', schema: z.object({ incident }) }, 404: { description: 'There never was one' } },
      async handle({ identity: { tenant }, params: name }) {
        const found = await incidents.find({ tenant, ...name });
        return found ? reply(200, { incident: await shown(found) }) : unknown(name);
      },
    }),
    defineRoute({
      method: 'post',
      path: '/incidents/:kind/:subject/acknowledgements',
      summary: 'Say that you have seen it',
      description: 'It concerns the present opening alone, and closes nothing: an incident closes when what it tells of is over.',
      roles: ['clerk', 'warehouse', 'operator'],
      params,
      answer: 'stored',
      responses: {
        200: { description: 'The incident', schema: z.object({ incident }) },
        404: { description: 'There never was one' },
        409: { description: 'It is closed' },
      },
      async handle({ identity: { tenant, user }, params: name, at }) {
        const found = await incidents.acknowledge({ tenant, ...name }, { user, at });
        if (found) return reply(200, { incident: await shown(found) });
        if (!(await incidents.find({ tenant, ...name }))) return unknown(name);
        return problem(409, {
          type: 'incident-closed',
          detail: 'It has closed: what it told of is over, and there is nothing left to acknowledge.',
        });
      },
    }),
  ];
}
