import type { Saga } from '@keelson/contracts';
import { eventually } from '@keelson/testing';
import { NAMESAKE, READER, TOKEN } from './role-process.ts';
import { RunningShop } from './running-shop.ts';
import { anOrder, STEPS_OF_A_CONFIRMED_ORDER } from './shop.ts';

describe('order-demo over HTTP, all roles in one process, on real PostgreSQL and RabbitMQ', () => {
  let shop: RunningShop;
  beforeAll(async () => {
    shop = await RunningShop.open({ SEED_STOCK: '1000', APP_VERSION: 'v7', SWEEP_EVERY_MS: '100' });
  });
  afterAll(() => shop?.close());

  test('an order is accepted at once and confirmed soon, each step with its time', async () => {
    const accepted = await shop.place(
      anOrder({
        lines: [
          { sku: 'SKU-001', quantity: 2 },
          { sku: 'SKU-002', quantity: 1 },
        ],
      }),
    );
    expect(accepted.status).toBe(202);
    expect(accepted.headers.get('location')).toBe(`/v1/orders/${accepted.body.id}`);
    expect(accepted.headers.get('x-app-version')).toBe('v7');
    expect(accepted.body).toMatchObject({
      documentNumber: expect.stringMatching(/^SO-\d{4}-\d{6}$/),
      status: 'accepted',
      acceptedBy: 'v7',
      totalCents: 2 * 990 + 1490,
      history: [{ step: 'stock-reserved' }, { step: 'document-numbered' }],
    });
    const order = await eventually(async () => {
      const { body } = await shop.get(accepted.body.id);
      return body.status === 'confirmed' && body;
    });
    const steps = order.history.map(({ step }) => step);
    expect([...steps].sort()).toEqual([...STEPS_OF_A_CONFIRMED_ORDER].sort());
    expect(steps.at(-1)).toBe('confirmed');
  });

  test('the same key and body give the same answer again, with Idempotent-Replayed', async () => {
    const first = await shop.place(anOrder(), { key: 'again' });
    const second = await shop.place(JSON.stringify(anOrder(), ['lines', 'sku', 'quantity', 'phone', 'customer'], 2), {
      key: 'again',
    });
    expect(second.status).toBe(202);
    expect(second.body).toEqual(first.body);
    expect(first.headers.get('idempotent-replayed')).toBeNull();
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    expect(second.headers.get('location')).toBe(first.headers.get('location'));
  });

  test('the same key with another body is refused', async () => {
    await shop.place(anOrder(), { key: 'other' });
    const { status, body } = await shop.place(anOrder({ customer: 'Eve' }), { key: 'other' });
    expect([status, body.code]).toEqual([422, 'idempotency-key-reused']);
  });

  test('the same key of another team is another key, also where the tokens have the same name', async () => {
    const first = await shop.place(anOrder(), { key: 'namesake' });
    const second = await shop.place(anOrder(), { key: 'namesake', token: NAMESAKE });
    expect([first.status, second.status, second.headers.get('idempotent-replayed')]).toEqual([202, 202, null]);
    expect(second.body.id).not.toBe(first.body.id);
  });

  test('of many requests with one key at once, one order comes out and nobody is told otherwise', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => shop.place(anOrder(), { key: 'storm' })));
    const ids = new Set(answers.filter(({ status }) => status === 202).map(({ body }) => body.id));
    expect(ids.size).toBe(1);
    for (const answer of answers.filter(({ status }) => status !== 202)) {
      expect([answer.status, answer.body.code]).toEqual([409, 'idempotency-key-in-progress']);
      expect(answer.headers.get('retry-after')).toBe('1');
    }
  });

  test('an unknown article and too little stock are named by their line, and nothing is reserved', async () => {
    const before = (await shop.stock()).body.items.find(({ sku }) => sku === 'SKU-004')!;
    const unknown = await shop.place(
      anOrder({
        lines: [
          { sku: 'SKU-004', quantity: 1 },
          { sku: 'SKU-005', quantity: 1 },
          { sku: 'nonsense', quantity: 1 },
        ],
      }),
    );
    expect([unknown.status, unknown.body.code]).toEqual([422, 'unknown-sku']);
    expect(unknown.body.errors).toEqual([{ pointer: '/lines/2/sku', detail: expect.stringContaining('"nonsense"') }]);
    const short = await shop.place(
      anOrder({
        lines: [
          { sku: 'SKU-004', quantity: 600 },
          { sku: 'SKU-004', quantity: 600 },
        ],
      }),
    );
    expect([short.status, short.body.code]).toEqual([409, 'out-of-stock']);
    expect(short.body.errors).toEqual([
      { pointer: '/lines/1/sku', detail: '600 of "SKU-004" are wanted, 400 are left' },
    ]);
    expect((await shop.stock()).body.items.find(({ sku }) => sku === 'SKU-004')).toEqual(before);
  });

  const line = (quantity: unknown) => ({ ...anOrder(), lines: [{ sku: 'SKU-001', quantity }] });
  test.each([
    { name: 'quantity zero', body: line(0), pointer: '/lines/0/quantity' },
    { name: 'a negative quantity', body: line(-1), pointer: '/lines/0/quantity' },
    { name: 'a fractional quantity', body: line(1.5), pointer: '/lines/0/quantity' },
    { name: 'an enormous quantity', body: line(1e308), pointer: '/lines/0/quantity' },
    {
      name: '10,000 lines',
      body: anOrder({ lines: Array.from({ length: 10_000 }, () => ({ sku: 'SKU-001', quantity: 1 })) }),
      pointer: '/lines',
    },
    { name: 'no lines', body: anOrder({ lines: [] }), pointer: '/lines' },
    { name: 'a phone number that is none', body: anOrder({ phone: '0151' }), pointer: '/phone' },
    { name: 'a field too many', body: { ...anOrder(), coupon: 1 }, pointer: '/coupon' },
    { name: 'a NUL character', body: anOrder({ customer: 'a\0b' }), pointer: '/customer' },
    {
      name: 'half a surrogate pair',
      body: anOrder({ lines: [{ sku: '\ud800', quantity: 1 }] }),
      pointer: '/lines/0/sku',
    },
  ])('$name is refused with its pointer', async ({ body, pointer }) => {
    const answer = await shop.place(body);
    expect([answer.status, answer.body.code]).toEqual([422, 'invalid-request']);
    expect(answer.body.errors!.map((error) => error.pointer)).toContain(pointer);
  });

  test('no key, no JSON, another media type and a body too large are refused, each in its own words', async () => {
    const missing = await shop.place(anOrder(), { key: null });
    expect([missing.status, missing.body.code]).toEqual([400, 'idempotency-key-missing']);
    const broken = await shop.place('{"customer":');
    expect([broken.status, broken.body.code]).toEqual([400, 'malformed-json']);
    const text = await shop.call<{ code: string }>('POST', '/v1/orders', {
      body: 'a=1',
      headers: { 'content-type': 'text/plain', 'idempotency-key': 'k' },
    });
    expect([text.status, text.body.code]).toEqual([415, 'unsupported-media-type']);
    const large = await shop.place(anOrder({ customer: 'x'.repeat(2_000_000) }));
    expect([large.status, large.body.code]).toEqual([413, 'body-too-large']);
  });

  test('a list is cut into pages, newest first, and filtered', async () => {
    const placed = [];
    for (let n = 0; n < 5; n += 1) placed.push((await shop.place(anOrder({ customer: 'Pager' }))).body.id);
    const first = (await shop.list('?customer=Pager&limit=2')).body;
    const second = (await shop.list(`?customer=Pager&limit=2&cursor=${first.next}`)).body;
    const third = (await shop.list(`?customer=Pager&limit=2&cursor=${second.next}`)).body;
    expect([first, second, third].flatMap(({ items }) => items.map(({ id }) => id))).toEqual(placed.toReversed());
    expect(third.next).toBeUndefined();
    const bad = await shop.list('?cursor=bm9uc2Vuc2U');
    expect([bad.status, bad.body.errors]).toEqual([
      422,
      [{ pointer: 'query/cursor', detail: 'is not a cursor of this list' }],
    ]);
  });

  test('another team sees none of it', async () => {
    const { body } = await shop.place();
    expect((await shop.get(body.id, { token: READER })).status).toBe(404);
    expect((await shop.list('', { token: READER })).body.items).toEqual([]);
    expect((await shop.place(anOrder(), { token: READER })).status).toBe(403);
  });

  test('the process of an order is shown step by step, to its own team only', async () => {
    const { body } = await shop.place();
    const saga = await eventually(async () => {
      const answer = await shop.call<Saga>('GET', `/v1/orders/${body.id}/saga`);
      return answer.status === 200 && answer.body.state === 'completed' && answer.body;
    });
    expect(saga.stages.map(({ steps }) => steps.map(({ name, state }) => `${name} ${state}`))).toEqual([
      ['stock done'],
      ['payment done'],
      ['document done', 'coupon done', 'notification done'],
      ['sale done'],
    ]);
    for (const step of saga.stages.flatMap(({ steps }) => steps)) expect(step.doneAt).toMatch(/^2.*Z$/);
    const list = await shop.call<{ items: Saga[]; next?: string }>('GET', '/v1/sagas?state=completed&limit=1');
    expect(list.body.items).toMatchObject([{ name: 'order', state: 'completed' }]);
    const next = await shop.call<{ items: Saga[] }>('GET', `/v1/sagas?limit=1&cursor=${list.body.next}`);
    expect(next.body.items[0]?.key).not.toBe(list.body.items[0]?.key);
    expect((await shop.call('GET', `/v1/orders/${body.id}/saga`, { token: READER })).status).toBe(404);
    expect((await shop.call<{ items: Saga[] }>('GET', '/v1/sagas', { token: READER })).body.items).toEqual([]);
  });

  test('the invoice is a PDF with an ETag, only for its own team, 404 before it is made and once it is voided', async () => {
    const { body } = await shop.place();
    await eventually(async () => (await shop.get(body.id)).body.status === 'confirmed');
    const get = (id: string, headers: Record<string, string> = {}, token = TOKEN) =>
      fetch(`${shop.url}/v1/orders/${id}/invoice`, { headers: { authorization: `Bearer ${token}`, ...headers } });
    const answer = await get(body.id);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/pdf']);
    expect(
      Buffer.from(await answer.arrayBuffer())
        .subarray(0, 5)
        .toString(),
    ).toBe('%PDF-');
    const etag = answer.headers.get('etag')!;
    const known = await get(body.id, { 'if-none-match': `"other", W/${etag}` });
    expect([known.status, await known.text(), known.headers.get('etag')]).toEqual([304, '', etag]);
    expect((await get(body.id, { 'if-none-match': '"other"' })).status).toBe(200);
    expect((await get(body.id, {}, READER)).status).toBe(404);

    const cancelled = (await shop.place()).body.id;
    await shop.cancel(cancelled);
    await eventually(async () => (await shop.get(cancelled)).body.status !== 'accepted');
    if ((await shop.get(cancelled)).body.status === 'compensated') expect((await get(cancelled)).status).toBe(404);
  });

  test('a confirmed order cannot be cancelled, an unknown one is not found', async () => {
    const { body } = await shop.place();
    await eventually(async () => (await shop.get(body.id)).body.status === 'confirmed');
    const late = await shop.cancel(body.id);
    expect([late.status, late.body.code]).toEqual([409, 'already-confirmed']);
    expect((await shop.cancel('0195500a-0000-7000-8000-000000000001')).status).toBe(404);
  });

  test('the verifier finds nothing wrong in the end', async () => {
    const verdict = await eventually(async () => {
      const seen = await shop.verify();
      return seen.ok && seen.confirmed + seen.compensated === seen.accepted && seen;
    });
    expect(verdict).toMatchObject({ lost: [], doubled: [], stuck: [], negative: [] });
    expect(verdict.accepted).toBeGreaterThan(8);
  });

  test('SIGTERM ends it in order with exit code 0', async () => {
    expect(await shop.service.stop(10_000)).toEqual({ code: 0, signal: null });
  });
});
