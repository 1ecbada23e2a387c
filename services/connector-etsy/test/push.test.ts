import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { createLogger } from '@evenkeel/chassis';
import { createGateway, createRateGovernor, type Memo, type PushItem, type StoreConnection } from '@evenkeel/connector-kit';
import type { NewListing, SandboxControl } from '@evenkeel/marketplace-sandbox/control';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createEtsy } from '../src/etsy.ts';
import { updateOf } from '../src/inventory.ts';
import * as shapes from '../src/shapes.ts';
import { openEtsySandbox, type RunningSandbox } from './sandbox-harness.ts';

const log = createLogger('push-test', 'silent');
const soon = { priority: 'normal' } as const;

let sandbox: RunningSandbox;
beforeAll(async () => {
  sandbox = await openEtsySandbox();
});
afterAll(async () => sandbox[Symbol.asyncDispose]());

const mug: NewListing = {
  title: 'Mug',
  variants: [
    { sku: 'BLUE', quantity: 3, price: 12.5, values: { Colour: 'blue' } },
    { sku: 'RED', quantity: 2, price: 14, values: { Colour: 'red' } },
  ],
};

interface Shop extends AsyncDisposable {
  readonly name: string;
  readonly control: SandboxControl;
  readonly connection: StoreConnection;
  /** The number of the mug's listing, and our listings of its variants. */
  readonly listing: number;
  readonly blue: string;
  readonly red: string;
  push(items: readonly (Omit<PushItem, 'expected'> & Partial<PushItem>)[]): ReturnType<StoreConnection['push']>;
  /** What the kit keeps of the listing between pushes. */
  memo(): Memo | null;
  /** The process dies where it would remember this, and before it does. */
  dieBeforeRemembering(fatal: Memo | null): void;
  /** The process dies before it remembers something for the nth time from now; 0: it does not. */
  dieAtMemory(nth: number): void;
  /** How the kit resolves a push that was left without an answer. */
  readBack(): ReturnType<StoreConnection['readBack']>;
  /** Its seller adds the variants that are like these, in another colour. */
  addLike(colour: string, other: string): Promise<void>;
  state(): Promise<string>;
  quantities(): Promise<number[]>;
}

async function openShop({
  renewSoldOut = false,
  listing: wanted = mug,
}: { renewSoldOut?: boolean; listing?: NewListing } = {}): Promise<Shop> {
  const { control, etsy } = sandbox;
  const name = `shop-${randomUUID().slice(0, 8)}`;
  const { keystring, sharedSecret } = etsy;
  const { tokens } = await control.createEtsyShop({ name, keystring, sharedSecret });
  const [listing] = await control.putListings(name, [wanted]);
  if (!listing) throw new Error('no listing was created');
  const marketplace = createEtsy(etsy);
  const gateway = createGateway({ log, governor: createRateGovernor(), isOwner: () => true, credentialRetryMilliseconds: 10 });
  const { settings, credentials } = marketplace.accessOf({ ...tokens, renewSoldOut });
  const first = marketplace.open({ settings, credentials: () => credentials }, gateway);
  const complete = await marketplace.completeSettings(first, settings, soon);
  await first.close();
  const connection = marketplace.open({ settings: complete, credentials: () => credentials }, gateway);
  let memo: Memo | null = null;
  let dies: Memo | null | undefined;
  let diesAt = 0;
  const remember = async (given: Memo | null) => {
    if (diesAt > 0 && (diesAt -= 1) === 0) throw new Error('killed');
    if (dies !== undefined && isDeepStrictEqual(given, dies)) {
      dies = undefined;
      throw new Error('killed');
    }
    memo = given;
  };
  const read = () => control.listing(name, listing.listing);
  return {
    name,
    control,
    connection,
    listing: listing.listing,
    blue: listing.offerings[0]?.inventoryItem ?? '',
    red: listing.offerings[1]?.inventoryItem ?? '',
    push: (items) =>
      connection.push({ key: randomUUID(), items: items.map((item) => ({ expected: null, ...item })) }, { ...soon, memo, remember }),
    memo: () => memo,
    dieBeforeRemembering: (fatal) => void (dies = fatal),
    dieAtMemory: (nth) => void (diesAt = nth),
    readBack: () =>
      connection.readBack(
        listing.offerings.map(({ inventoryItem }) => inventoryItem),
        { ...soon, memory: { memo, remember } },
      ),
    async addLike(colour, other) {
      const address = `${etsy.apiUrl}/listings/${listing.listing}/inventory`;
      const headers = { 'x-api-key': `${keystring}:${sharedSecret}`, authorization: `Bearer ${tokens.accessToken}` };
      const inventory = shapes.inventory.parse(await (await fetch(address, { headers })).json());
      const update = updateOf(listing.listing, inventory, new Map());
      const like = update.products
        .filter(({ sku }) => sku.startsWith(`${colour}-`))
        .map((product) => ({
          ...product,
          sku: product.sku.replace(colour, other),
          property_values: product.property_values.map((value) =>
            value.values[0] === colour ? { ...value, value_ids: [77], values: [other] } : value,
          ),
        }));
      const body = JSON.stringify({ ...update, products: [...update.products, ...like] });
      const answer = await fetch(address, { method: 'PUT', headers: { ...headers, 'content-type': 'application/json' }, body });
      if (!answer.ok) throw new Error(await answer.text());
    },
    state: async () => (await read()).state,
    quantities: async () => (await read()).offerings.map(({ quantity }) => quantity),
    async [Symbol.asyncDispose]() {
      await connection.close();
      gateway.close();
    },
  };
}

const outcomes = (results: Awaited<ReturnType<Shop['push']>>) => results.map(({ outcome }) => outcome);

describe('a push to an Etsy listing', () => {
  test('leaves the variants that it is not about with what they have, and everything but quantities as it is', async () => {
    await using shop = await openShop();
    await shop.control.placeOrder(shop.name, { lines: [{ inventoryItem: shop.red, quantity: 1 }] });
    await shop.push([{ listing: shop.blue, quantity: 9 }]);
    expect(await shop.quantities()).toEqual([9, 1]);
    const [read] = (await shop.control.writes(shop.name)).rows;
    expect(read).toMatchObject({ inventoryItem: shop.blue, quantityBefore: 3, quantityAfter: 9 });
    const { offerings } = await shop.control.listing(shop.name, shop.listing);
    expect(offerings).toMatchObject([
      { sku: 'BLUE', values: { Colour: 'blue' } },
      { sku: 'RED', values: { Colour: 'red' } },
    ]);
  });

  test('does not undo a sale that nobody has seen: that variant keeps what is left, the others are written', async () => {
    await using shop = await openShop();
    await shop.push([{ listing: shop.blue, quantity: 5 }]);
    await shop.control.placeOrder(shop.name, { lines: [{ inventoryItem: shop.blue, quantity: 2 }] });
    const results = await shop.push([
      { listing: shop.red, quantity: 8, expected: 2 },
      { listing: shop.blue, quantity: 5, expected: 5 },
    ]);
    expect(results).toEqual([
      { listing: shop.red, outcome: 'applied', onSale: true },
      { listing: shop.blue, outcome: 'rejected', failure: expect.objectContaining({ class: 'conflict' }), found: 3 },
    ]);
    expect(await shop.quantities()).toEqual([3, 8]);
    const { length } = (await shop.control.writes(shop.name)).rows;
    expect(outcomes(await shop.push([{ listing: shop.blue, quantity: 5, expected: 5 }]))).toEqual(['rejected']);
    expect((await shop.control.writes(shop.name)).rows).toHaveLength(length);
    expect(outcomes(await shop.push([{ listing: shop.blue, quantity: 4, expected: 3 }]))).toEqual(['applied']);
    expect(await shop.quantities()).toEqual([4, 8]);
  });

  test('is not held up where there is more than expected: that is not a sale', async () => {
    await using shop = await openShop();
    expect(outcomes(await shop.push([{ listing: shop.blue, quantity: 1, expected: 2 }]))).toEqual(['applied']);
    expect(await shop.quantities()).toEqual([1, 2]);
  });

  test('of nothing to every variant takes it off sale, and puts it back when there is something again', async () => {
    await using shop = await openShop();
    const [blue, red] = [shop.blue, shop.red];
    expect(outcomes(await shop.push([{ listing: blue, quantity: 0 }, { listing: red, quantity: 0 }]))).toEqual(['applied', 'applied']); // prettier-ignore
    expect([await shop.state(), await shop.quantities()]).toEqual(['inactive', [0, 0]]);
    expect(await shop.push([{ listing: blue, quantity: 0 }])).toEqual([{ listing: blue, outcome: 'applied', onSale: false }]);
    expect(await shop.connection.readBack([blue, red], soon)).toEqual(new Map([[blue, 0], [red, 0]])); // prettier-ignore
    expect(outcomes(await shop.push([{ listing: red, quantity: 4 }]))).toEqual(['applied']);
    expect([await shop.state(), await shop.quantities(), shop.memo()]).toEqual(['active', [0, 4], null]);
  });

  test('that was cut off right after it took the listing off sale still knows later that it was us', async () => {
    await using shop = await openShop();
    const both = (quantity: number) => [{ listing: shop.blue, quantity }, { listing: shop.red, quantity }]; // prettier-ignore
    await shop.control.setFaults(shop.name, { dropAnswerOfNextMutations: 1 });
    await expect(shop.push(both(0))).rejects.toMatchObject({ applied: 'unknown' });
    expect([await shop.state(), await shop.quantities()]).toEqual(['inactive', [3, 2]]);
    await shop.push(both(0));
    await shop.push(both(6));
    expect([await shop.state(), await shop.quantities()]).toEqual(['active', [6, 6]]);
  });

  // A look said of a listing off sale that its variants show nothing: they counted as set to nothing, and came back on sale with what they had.
  test('that was cut off right after it took the listing off sale is not taken for written', async () => {
    await using shop = await openShop();
    const both = [{ listing: shop.blue, quantity: 0 }, { listing: shop.red, quantity: 0 }]; // prettier-ignore
    await shop.control.setFaults(shop.name, { dropAnswerOfNextMutations: 1 });
    await expect(shop.push(both)).rejects.toMatchObject({ applied: 'unknown' });
    expect(await shop.readBack()).toEqual(new Map());
    await shop.push(both); // what is not known to be written goes out again
    expect(await shop.readBack()).toEqual(new Map([[shop.blue, 0], [shop.red, 0]])); // prettier-ignore
    await shop.push([{ listing: shop.red, quantity: 4, expected: 0 }]);
    expect([await shop.state(), await shop.quantities(), shop.memo()]).toEqual(['active', [0, 4], null]);
  });

  describe('that was killed while it put the listing back on sale', () => {
    const both = (shop: Shop, quantity: number) => [{ listing: shop.blue, quantity }, { listing: shop.red, quantity }]; // prettier-ignore

    test('right after it did, leaves it off sale when its seller then takes it off by hand', async () => {
      for (const looks of [true, false]) {
        await using shop = await openShop();
        await shop.push(both(shop, 0));
        shop.dieBeforeRemembering(null);
        await expect(shop.push(both(shop, 6))).rejects.toThrow('killed');
        expect(await shop.state()).toBe('active');
        if (looks) await shop.readBack();
        await shop.control.setListingState(shop.name, shop.listing, 'inactive');
        expect(await shop.push(both(shop, 7))).toMatchObject([{ onSale: false }, { onSale: false }]);
        expect([await shop.state(), await shop.quantities(), shop.memo()]).toEqual(['inactive', [7, 7], null]);
      }
    });

    test('or right before it did, has it back on sale with the next push', async () => {
      await using shop = await openShop();
      await shop.push(both(shop, 0));
      shop.dieBeforeRemembering({ deactivated: true, comingBack: true });
      await expect(shop.push(both(shop, 6))).rejects.toThrow('killed');
      expect(await shop.push(both(shop, 6))).toMatchObject([{ onSale: true }, { onSale: true }]);
      expect([await shop.state(), shop.memo()]).toEqual(['active', null]);
    });

    test('or its request was lost on the way, has it back on sale once a look has told so', async () => {
      await using shop = await openShop();
      await shop.push(both(shop, 0));
      shop.dieBeforeRemembering(null);
      await expect(shop.push(both(shop, 6))).rejects.toThrow('killed');
      await shop.control.setListingState(shop.name, shop.listing, 'inactive'); // as if it had never come on sale
      expect(await shop.readBack()).toEqual(new Map());
      await shop.push(both(shop, 6));
      expect([await shop.state(), shop.memo()]).toEqual(['active', null]);
    });
  });

  test('writes quantities to a listing that its seller took off sale, and leaves it off sale', async () => {
    await using shop = await openShop();
    await shop.control.setListingState(shop.name, shop.listing, 'inactive');
    expect(outcomes(await shop.push([{ listing: shop.blue, quantity: 7 }]))).toEqual(['applied']);
    await shop.push([{ listing: shop.blue, quantity: 0 }, { listing: shop.red, quantity: 0 }]); // prettier-ignore
    await shop.push([{ listing: shop.blue, quantity: 7 }]);
    expect([await shop.state(), await shop.quantities()]).toEqual(['inactive', [7, 0]]);
  });

  test('renews a listing that sold out only where its seller wants that, and never leaves it at the single unit of a renewal', async () => {
    for (const renewSoldOut of [false, true]) {
      await using shop = await openShop({ renewSoldOut });
      await shop.control.placeOrder(shop.name, { lines: [{ inventoryItem: shop.blue, quantity: 3 }, { inventoryItem: shop.red, quantity: 2 }] }); // prettier-ignore
      expect(await shop.state()).toBe('sold_out');
      expect(outcomes(await shop.push([{ listing: shop.blue, quantity: 0, expected: 0 }]))).toEqual(['applied']);
      expect(outcomes(await shop.push([{ listing: shop.red, quantity: 5, expected: 0 }]))).toEqual(['applied']);
      expect([await shop.state(), await shop.quantities()]).toEqual([renewSoldOut ? 'active' : 'sold_out', [0, 5]]);
    }
  });

  // Renewing puts one unit on sale, of whichever variant: a call that was cut off there left it to one that had none, for good.
  test('that was cut off right after it renewed the listing leaves no unit of the renewal on sale', async () => {
    await using shop = await openShop({ renewSoldOut: true });
    await shop.control.placeOrder(shop.name, { lines: [{ inventoryItem: shop.blue, quantity: 3 }, { inventoryItem: shop.red, quantity: 2 }] }); // prettier-ignore
    await shop.control.setFaults(shop.name, { dropAnswerOfNextMutations: 1 });
    await expect(shop.push([{ listing: shop.red, quantity: 5, expected: 0 }])).rejects.toMatchObject({ applied: 'unknown' });
    expect([await shop.state(), await shop.quantities()]).toEqual(['active', [1, 0]]);
    await shop.readBack();
    await shop.push([{ listing: shop.red, quantity: 5, expected: 0 }]);
    expect([await shop.state(), await shop.quantities(), shop.memo()]).toEqual(['active', [0, 5], null]);
  });

  test('names a variant that is gone, writes the others, and a listing that is gone is the end of all of them', async () => {
    await using shop = await openShop();
    await shop.control.deleteProduct(shop.name, shop.red);
    const items = [{ listing: shop.blue, quantity: 8 }, { listing: shop.red, quantity: 8 }]; // prettier-ignore
    const gone = { outcome: 'rejected', failure: { class: 'permanent_listing' } };
    expect(await shop.push(items)).toMatchObject([{ outcome: 'applied' }, gone]);
    expect(await shop.quantities()).toEqual([8]);
    await shop.control.deleteListing(shop.name, shop.listing);
    expect(await shop.push(items)).toMatchObject([gone, gone]);
  });

  test('sets one quantity for variants that share it', async () => {
    const variants = ['S', 'M'].map((size) => ({ sku: 'SHIRT', quantity: 5, values: { Size: size } }));
    await using shop = await openShop({ listing: { variants, quantityVariesBy: [] } });
    expect(shop.blue).toBe(String(shop.listing));
    await shop.push([{ listing: shop.blue, quantity: 7 }]);
    expect(await shop.quantities()).toEqual([7, 7]);
    await shop.control.placeOrder(shop.name, { lines: [{ sku: 'SHIRT', quantity: 2 }] });
    for await (const [order] of shop.connection.ordersSince(0, soon))
      expect(order?.lines).toMatchObject([{ listing: String(shop.listing), quantity: 2 }]);
  });
});

/**
 * Variants get something and nothing in any order, sell out, and any request is lost on its way or on its way back, or its process dies. What is left
 * without an answer is read back, as the kit does, and goes out again where it is not there.
 */
test('whatever is cut off, once all is confirmed each variant shows what it was last to show', async () => {
  const aStep = fc.record({
    wants: fc.dictionary(fc.constantFrom('blue', 'red'), fc.constantFrom(0, 0, 0, 4, 7), { minKeys: 1 }),
    sellsOut: fc.constantFrom('', '', 'blue', 'red'),
    goesWrong: fc.constantFrom('nothing', 'dropNextMutations', 'dropAnswerOfNextMutations', 'dies'),
    which: fc.integer({ min: 1, max: 3 }),
  });
  const life = fc.array(aStep, { minLength: 3, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(life, async (steps) => {
      await using shop = await openShop({ renewSoldOut: true });
      const variants = [shop.blue, shop.red];
      const wanted = new Map([[shop.blue, 3], [shop.red, 2]]); // prettier-ignore
      const outstanding = new Set<string>();
      const attempt = async (): Promise<void> => {
        const items = [...outstanding].map((listing) => ({ listing, quantity: wanted.get(listing) ?? 0 }));
        try {
          for (const { listing, outcome } of await shop.push(items)) if (outcome === 'applied') outstanding.delete(listing);
        } catch {
          shop.dieAtMemory(0); // the next one looks
          const found = await shop.readBack();
          for (const { listing, quantity } of items) if (found.get(listing) === quantity) outstanding.delete(listing);
        }
      };
      const settle = async (): Promise<void> => {
        await shop.control.setFaults(shop.name, {});
        while (outstanding.size > 0) await attempt();
        const isOnSale = (await shop.state()) === 'active';
        const shown = (await shop.quantities()).map((quantity) => (isOnSale ? quantity : 0));
        expect(shown).toEqual(variants.map((listing) => wanted.get(listing)));
      };
      for (const { wants, sellsOut, goesWrong, which } of steps) {
        const sold = sellsOut === 'blue' ? shop.blue : shop.red;
        const quantity = wanted.get(sold) ?? 0;
        if (sellsOut !== '' && quantity > 0) {
          await settle(); // everybody knows of what it sells
          await shop.control.placeOrder(shop.name, { lines: [{ inventoryItem: sold, quantity }] });
          wanted.set(sold, 0);
        }
        for (const [name, units] of Object.entries(wants)) {
          const listing = name === 'blue' ? shop.blue : shop.red;
          wanted.set(listing, units);
          outstanding.add(listing);
        }
        if (goesWrong === 'dies') shop.dieAtMemory(which);
        else if (goesWrong !== 'nothing') await shop.control.setFaults(shop.name, { [goesWrong]: which });
        await attempt();
        shop.dieAtMemory(0);
      }
      await settle();
    }),
    { numRuns: 30 },
  );
}, 120_000);

// It was called by all that was chosen, though its quantity varies by the colour alone: no listing has that name, and it waited for one for ever.
test('a variant that its seller has just added is known by its first sale', async () => {
  const variants = ['blue', 'red'].flatMap((Colour) =>
    ['S', 'M'].map((Size) => ({ sku: `${Colour}-${Size}`, quantity: 5, values: { Colour, Size } })),
  );
  await using shop = await openShop({ listing: { variants, quantityVariesBy: ['Colour'] } });
  await shop.push([{ listing: shop.blue, quantity: 6 }]); // that is how the listing is known
  await shop.addLike('blue', 'green');
  const { offerings } = await shop.control.listing(shop.name, shop.listing);
  const green = offerings.find(({ sku }) => sku === 'green-M');
  await shop.control.placeOrder(shop.name, { lines: [{ inventoryItem: green?.inventoryItem ?? '', quantity: 2 }] });
  const [sold] = (await shop.connection.ordersSince(0, soon)[Symbol.asyncIterator]().next()).value ?? [];
  expect(sold?.lines).toMatchObject([{ listing: green?.inventoryItem, quantity: 2 }]);
});

// It was taken for gone, and unmapped until the next reading.
test('a listing that its seller takes off sale while all are read, though it had sold out, is read', async () => {
  await using shop = await openShop({ listing: { variants: [{ sku: 'LAST', quantity: 1 }] } });
  await shop.control.placeOrder(shop.name, { lines: [{ inventoryItem: shop.blue, quantity: 1 }] });
  expect(await shop.state()).toBe('sold_out');
  for (let takenOffAt = 0; takenOffAt < 4; takenOffAt += 1) {
    await shop.control.setListingState(shop.name, shop.listing, 'sold_out');
    const read: string[] = [];
    let pages = 0;
    for await (const page of shop.connection.listings(soon)) {
      read.push(...page.map(({ listing }) => listing));
      if (pages++ === takenOffAt) await shop.control.setListingState(shop.name, shop.listing, 'inactive');
    }
    expect(read).toEqual([shop.blue]);
  }
});

test('what is sold keeps its listing through every write of it, and after the listing is gone', async () => {
  await using shop = await openShop();
  for (const quantity of [8, 7]) {
    await shop.push([{ listing: shop.blue, quantity }]);
    await shop.control.placeOrder(shop.name, { lines: [{ inventoryItem: shop.red, quantity: 1 }] });
  }
  const sold = async () => {
    const lines: (string | null)[] = [];
    for await (const page of shop.connection.ordersSince(0, soon))
      lines.push(...page.flatMap((order) => order.lines.map(({ listing }) => listing)));
    return lines;
  };
  expect(await sold()).toEqual([shop.red, shop.red]);
  await shop.control.deleteListing(shop.name, shop.listing);
  expect(await sold()).toEqual([shop.red, shop.red]);
});
