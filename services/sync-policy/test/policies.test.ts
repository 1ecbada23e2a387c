import type { EventOf } from '@evenkeel/chassis';
import { expect, test } from '@jest/globals';
import { newTenantPolicy, type TenantPolicy } from '../src/domain.ts';
import { createPolicies } from '../src/policies.ts';

const at = (revision: number): TenantPolicy => ({ ...newTenantPolicy, revision });
const of = (...tenants: string[]) => tenants.map((tenant) => ({ data: { tenant } }) as unknown as EventOf<'SetInventorySync'>);

function openPolicies() {
  let milliseconds = 0;
  const stored = new Map<string, TenantPolicy>();
  const asked: string[][] = [];
  const store = {
    async newestOf(tenants: readonly string[]) {
      asked.push([...tenants]);
      return new Map(tenants.map((tenant) => [tenant, stored.get(tenant) ?? newTenantPolicy]));
    },
  };
  return { policies: createPolicies(store, () => milliseconds), stored, asked, wait: (more: number) => void (milliseconds += more) };
}

test('each tenant is asked for once, not once per event', async () => {
  const { policies, stored, asked } = openPolicies();
  stored.set('acme', at(4));
  expect(await policies.context(of('acme', 'other', 'acme'))).toEqual(
    new Map([
      ['acme', at(4)],
      ['other', at(0)],
    ]),
  );
  await policies.context(of('other', 'acme'));
  expect(asked).toEqual([['acme', 'other']]);
});

test('a control record brings the newer policy at once; an older one is not heard', async () => {
  const { policies, asked } = openPolicies();
  policies.changed('acme', at(3));
  policies.changed('acme', at(2));
  expect((await policies.context(of('acme'))).get('acme')).toEqual(at(3));
  expect(asked).toEqual([]);
});

test('a policy whose record was lost is found after half a minute', async () => {
  const { policies, stored, wait } = openPolicies();
  await policies.context(of('acme'));
  stored.set('acme', at(1));
  wait(29_999);
  expect((await policies.context(of('acme'))).get('acme')).toEqual(at(0));
  wait(1);
  expect((await policies.context(of('acme'))).get('acme')).toEqual(at(1));
});
