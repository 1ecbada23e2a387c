import type { EventOf } from '@evenkeel/chassis';
import { expect, test } from '@jest/globals';
import { newTenantPolicy, type TenantPolicy } from '../src/domain.ts';
import { createPolicies } from '../src/policies.ts';

const at = (revision: number): TenantPolicy => ({ ...newTenantPolicy, revision });
const of = (...tenants: string[]) => tenants.map((tenant) => ({ data: { tenant } }) as unknown as EventOf<'SetInventorySync'>);

function openPolicies() {
  const stored = new Map<string, TenantPolicy>();
  const asked: string[] = [];
  const policies = createPolicies({
    async ofLane(lane, tenants) {
      asked.push(...tenants.map((tenant) => `${lane} ${tenant}`));
      return new Map(tenants.map((tenant) => [tenant, stored.get(`${lane} ${tenant}`) ?? newTenantPolicy]));
    },
    takenIn: async (lane, tenant, policy) => void stored.set(`${lane} ${tenant}`, policy),
  });
  return { policies, stored, asked };
}

test('each tenant is asked for once per lane, not once per event', async () => {
  const { policies, stored, asked } = openPolicies();
  stored.set('3 acme', at(4));
  const found = await policies.context(of('acme', 'other', 'acme'), 3);
  expect([found.get('acme'), found.get('other')]).toEqual([at(4), at(0)]);
  await policies.context(of('other', 'acme'), 3);
  expect(asked).toEqual(['3 acme', '3 other']);
});

test('a policy applies in a lane once that lane has taken it in, and in no other lane before', async () => {
  const { policies } = openPolicies();
  await policies.context(of('acme'), 1);
  await policies.context(of('acme'), 2);
  await policies.takeIn(1, 'acme', at(3));
  expect((await policies.context(of('acme'), 1)).get('acme')).toEqual(at(3));
  expect((await policies.context(of('acme'), 2)).get('acme')).toEqual(at(0));
});

test('after a rebalance nothing is remembered: another replica may have taken a policy in meanwhile', async () => {
  const { policies, stored } = openPolicies();
  await policies.context(of('acme'), 1);
  stored.set('1 acme', at(5));
  expect((await policies.context(of('acme'), 1)).get('acme')).toEqual(at(0));
  policies.forget();
  expect((await policies.context(of('acme'), 1)).get('acme')).toEqual(at(5));
});
