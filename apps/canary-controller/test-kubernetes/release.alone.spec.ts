import { resources } from '@keelson/kubernetes';
import { controllerHere } from './support/controller.ts';
import { Place } from './support/place.ts';
import { clientOf, Shop } from './support/shop.ts';
import { soon } from './support/soon.ts';
import { ask, Traffic } from './support/traffic.ts';

// Releases of servers that run as pods, with requests through the gateway that Prometheus scrapes, and with event-relay.
let place: Place;
let controller: { url: string; stop(): Promise<void> };
let client: ReturnType<typeof clientOf>;
let traffic: Traffic | undefined;

beforeAll(async () => {
  place = await Place.start({ relay: true, gateway: true });
  controller = await controllerHere(place, {
    ...(await place.base()),
    leaseNamespace: await place.cluster.namespace(),
  });
  client = clientOf(controller.url);
});
afterEach(() => traffic?.stop());
afterAll(async () => {
  await controller?.stop();
  await place?.stop();
});

/** Opens the shop, and waits until the gateway sends customers to version 1. */
async function open(second: Parameters<typeof Shop.open>[1]): Promise<Shop> {
  const shop = await Shop.open(place, second);
  await soon(async () => (await ask(place.gatewayPort, shop.host)).text === 'shop-v1', 'version 1 behind the gateway');
  traffic = new Traffic(place.gatewayPort, shop.host);
  return shop;
}

test('a good version is promoted in steps, and not one request is lost on the way', async () => {
  const shop = await open({ kind: 'server' });
  await client.applyCanary({ body: { ...shop.at, spec: shop.spec() } });
  const promoted = await shop.until(client, ['Promoted', 'RolledBack', 'Paused'], { ok: 0 });
  expect(promoted).toMatchObject({ phase: 'Promoted', weight: 100, reason: 'all traffic goes to shop-v2' });
  expect(await shop.backend()).toBe('shop-v2');
  expect(await shop.weight()).toBeUndefined();
  expect(await shop.acts(client)).toEqual(['start', 'step', 'step', 'promote', 'promoted']);
  await traffic!.stop();
  expect([...traffic!.answers.keys()].toSorted()).toEqual(['shop-v1 200', 'shop-v2 200']);
  const resource = await place.client.get(resources.canaries, shop.at);
  expect(resource.status?.conditions?.find((one) => one.type === 'Promoted')).toMatchObject({ status: 'True' });
});

test('a version that answers 500 is rolled back, and the evidence says by how much', async () => {
  const shop = await open({ kind: 'server', failEvery: 5 });
  await client.applyCanary({ body: { ...shop.at, spec: shop.spec() } });
  const canary = await shop.until(client, ['RolledBack', 'Promoted'], { ok: 0 });
  expect(canary.phase).toBe('RolledBack');
  expect(canary.reason).toMatch(/^(1[5-9]|2[0-5])(\.\d)? % of \d+ requests failed \(\d+\); 5 % is allowed$/);
  expect(await shop.backend()).toBe('shop-v1');
  expect(await shop.weight()).toBeUndefined();
  const decision = (await shop.decisions(client)).find(({ act }) => act === 'roll-back');
  expect(decision!.evidence.find((one) => one.check === 'success-rate')).toMatchObject({
    outcome: 'fail',
    threshold: 0.95,
  });
});

test('a version whose own pods have Warning events is rolled back though it answers well', async () => {
  const shop = await open({ kind: 'server', crashAfterMs: 6_000 });
  const analysis = { ...shop.spec().analysis, successRate: { min: 0, minSample: 1 } };
  await client.applyCanary({ body: { ...shop.at, spec: shop.spec({ ...shop.long(), analysis }) } });
  const canary = await shop.until(client, ['RolledBack', 'Promoted'], { ok: 0 });
  expect(canary.phase).toBe('RolledBack');
  expect(canary.reason).toMatch(/\d+ Warning events? of the pods of shop-v2 \((BackOff|Unhealthy).*\); 0 allowed/);
  const decision = (await shop.decisions(client)).find(({ act }) => act === 'roll-back');
  const events = decision!.evidence.find((one) => one.check === 'warning-events')!.events!;
  expect(events[0]).toMatchObject({ object: expect.stringMatching(/^shop-v2-/) as string });
  expect(await shop.backend()).toBe('shop-v1');
});

test('header before cookie before weight, as ingress-nginx has it', async () => {
  const shop = await open({ kind: 'server' });
  const match = { header: { name: 'x-canary' }, cookie: 'beta' };
  const steps = [{ weight: 0, holdSeconds: 600 }];
  await client.applyCanary({ body: { ...shop.at, spec: shop.spec({ match, steps }) } });
  await shop.untilWeight('0');
  const version = async (headers: Record<string, string>) => (await ask(place.gatewayPort, shop.host, headers)).text;
  await soon(async () => (await version({ 'x-canary': 'always' })) === 'shop-v2');
  expect(await version({})).toBe('shop-v1');
  expect(await version({ cookie: 'beta=always' })).toBe('shop-v2');
  expect(await version({ cookie: 'beta=never' })).toBe('shop-v1');
  expect(await version({ 'x-canary': 'never', cookie: 'beta=always' })).toBe('shop-v1');
});
