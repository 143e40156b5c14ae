import { canaryPromoted, canaryRolledBack, canaryStarted, canaryStepped, catalogue } from '@keelson/contracts';
import { Messaging } from '@keelson/messaging';
import { eventually, testPostgres, testRabbitMq, type Postgres, type RabbitMq } from '@keelson/testing';
import { Cable } from './support/cable.ts';
import { controllerHere } from './support/controller.ts';
import { Place } from './support/place.ts';
import { clientOf, Shop } from './support/shop.ts';
import { soon } from './support/soon.ts';

// Each part goes away in the middle of a release and comes back.
let place: Place;
let postgres: Postgres;
let rabbit: RabbitMq;
let cable: Cable;
let controller: { url: string; stop(): Promise<void> };
let client: ReturnType<typeof clientOf>;
const offset = { ms: 0 };

beforeAll(async () => {
  [place, postgres, rabbit] = await Promise.all([Place.start({ relay: true }), testPostgres(), testRabbitMq()]);
  cable = await Cable.lay(place.cluster.kubeconfig);
  controller = await controllerHere(place, {
    databaseUrl: await postgres.createDatabase({ name: 'canaries' }),
    amqpUrl: rabbit.amqpUrl,
    leaseNamespace: await place.cluster.namespace(),
    env: { KUBECONFIG: cable.kubeconfig },
    clock: { now: () => new Date(Date.now() + offset.ms) },
  });
  client = clientOf(controller.url);
});
afterAll(async () => {
  await controller?.stop();
  await cable?.remove();
  await Promise.all([place?.stop(), postgres?.stop(), rabbit?.stop()]);
});

const url = (path: string): string => `${controller.url}${path}`;
const problem = async (path: string) => {
  const response = await fetch(url(path), { headers: { authorization: 'Bearer shop-token' } });
  const body = (await response.json()) as { code?: string; detail?: string };
  return { status: response.status, retryAfter: response.headers.get('retry-after'), ...body };
};

/** A shop whose release has passed nothing yet; its steps take a second each once requests come. */
async function begun(spec?: Record<string, unknown>): Promise<Shop> {
  const shop = await Shop.open(place);
  await client.applyCanary({ body: { ...shop.at, spec: shop.spec(spec) } });
  await shop.untilWeight('20');
  return shop;
}

/** Waits until a look at it found this, while requests come (or not). */
async function looked(
  shop: Shop,
  wanted: { check: string; outcome: string; summary?: RegExp },
  requests = 10,
): Promise<{ summary: string; phase: string; step: number }> {
  return soon(async () => {
    if (requests > 0) place.figures.add({ ...shop.at, service: 'shop-v2' }, requests);
    const { evidence, phase, step } = await client.getCanary({ params: shop.at });
    const found = evidence.find(
      ({ check, outcome, summary }) =>
        check === wanted.check && outcome === wanted.outcome && (wanted.summary?.test(summary) ?? true),
    );
    if (found) return { summary: found.summary, phase, step };
    throw new Error(`it is ${phase}, with ${evidence.map(({ summary }) => summary).join('; ')}`);
  }, `${wanted.check} ${wanted.outcome}`);
}

describe('while Prometheus is away', () => {
  test('nothing is judged, and the release goes on once it is back', async () => {
    const shop = await begun();
    await place.stopPrometheus();
    const unclear = await looked(shop, { check: 'success-rate', outcome: 'error' });
    expect(unclear).toMatchObject({ phase: 'Progressing', step: 0 });
    expect(unclear.summary).toMatch(/^Prometheus could not be asked: (ECONNREFUSED|ECONNRESET|.*closed)/);
    await place.startPrometheus();
    expect((await shop.until(client, ['Promoted', 'RolledBack', 'Paused'])).phase).toBe('Promoted');
  });

  test('a person is asked in the end, and may go on', async () => {
    const analysis = { intervalSeconds: 1, successRate: { min: 0.95, minSample: 20 }, inconclusiveLimitSeconds: 2 };
    const shop = await begun({ analysis });
    await place.stopPrometheus();
    const paused = await shop.until(client, ['Paused', 'Promoted', 'RolledBack'], { ok: 0 });
    expect(paused.phase).toBe('Paused');
    expect(paused.reason).toContain('Prometheus could not be asked');
    await place.startPrometheus();
    expect((await client.resumeCanary({ params: shop.at, body: {} })).phase).toBe('Progressing');
    await client.promoteCanary({ params: shop.at, body: { full: true } });
    expect((await shop.until(client, ['Promoted', 'RolledBack'])).phase).toBe('Promoted');
  });

  test('and comes back without its past, the gateway’s is not taken for that of this step', async () => {
    const shop = await Shop.open(place);
    place.figures.add({ ...shop.at, service: 'shop-v2' }, 0, 1_000);
    await client.applyCanary({ body: { ...shop.at, spec: shop.spec() } });
    await shop.untilWeight('20');
    await place.stopPrometheus();
    place.forgetPrometheus();
    await place.startPrometheus();
    expect((await shop.until(client, ['Promoted', 'RolledBack', 'Paused'])).phase).toBe('Promoted');
    expect(await shop.acts(client)).not.toContain('hold');
  });

  test('values that are no numbers are no proof either', async () => {
    const shop = await begun();
    place.figures.spoil({ ...shop.at, service: 'shop-v2' });
    await looked(shop, { check: 'success-rate', outcome: 'inconclusive', summary: /no numbers/ }, 0);
    await client.abortCanary({ params: shop.at, body: {} });
    await shop.until(client, ['RolledBack'], { ok: 0 });
  });
});

describe('while event-relay is away', () => {
  test('nothing is judged; a version that fails by its figures is rolled back all the same', async () => {
    const shop = await begun({ steps: [{ weight: 20, holdSeconds: 1 }] });
    await place.relay!.stop(0);
    const unclear = await looked(shop, { check: 'warning-events', outcome: 'error' });
    expect(unclear).toMatchObject({ phase: 'Progressing', step: 0 });
    expect(unclear.summary).toMatch(/^event-relay could not be asked/);
    const bad = await shop.until(client, ['RolledBack', 'Promoted'], { ok: 5, failed: 5 });
    expect(bad.phase).toBe('RolledBack');
    await place.startRelay();
  });
});

describe('while the database is away', () => {
  test('HTTP says so, the route stays, nothing is decided; afterwards the release goes on', async () => {
    const shop = await begun();
    postgres.kill('SIGKILL');
    try {
      // Its children answer for a moment longer, until they see that they are alone.
      const answer = await soon(async () => {
        const given = await problem(`/v1/canaries/${shop.namespace}/${shop.name}`);
        return given.status === 200 ? undefined : given;
      });
      expect(answer).toMatchObject({ status: 503, code: 'unavailable' });
      expect(answer.detail).toContain('The database is away');
      expect(Number(answer.retryAfter)).toBeGreaterThan(0);
      expect((await fetch(url('/readyz'))).status).toBe(503);
      expect((await fetch(url('/healthz'))).status).toBe(200);
      expect(await shop.weight()).toBe('20');
    } finally {
      await postgres.restart();
    }
    expect((await shop.until(client, ['Promoted', 'RolledBack', 'Paused'])).phase).toBe('Promoted');
    expect(await shop.acts(client)).toEqual(['start', 'step', 'step', 'promote', 'promoted']);
  });
});

describe('while the broker is away', () => {
  test('the release goes on, and every message comes once it is back, in order', async () => {
    const heard: { name: string; namespace: string }[] = [];
    const listener = await Messaging.connect({ url: rabbit.amqpUrl, service: 'listener', catalogue });
    const subscription = await listener.subscribe({
      queue: 'listener.canaries',
      messages: [canaryStarted, canaryStepped, canaryPromoted, canaryRolledBack],
      handler: (message) => {
        heard.push({ name: message.definition.name, namespace: message.payload.namespace });
        return Promise.resolve();
      },
    });
    try {
      await soon(() => subscription.state === 'attached');
      await rabbit.queuesKept();
      const shop = await begun();
      rabbit.kill('SIGKILL');
      expect((await shop.until(client, ['Promoted', 'RolledBack', 'Paused'])).phase).toBe('Promoted');
      await rabbit.restart();
      const told = () => heard.filter(({ namespace }) => namespace === shop.namespace).map(({ name }) => name);
      // The broker starts anew, both sides find it again, and rows it could not take wait up to 30 s for the next try.
      await eventually(() => told().includes('canary.promoted'), { withinMs: 110_000 });
      expect([...new Set(told())]).toEqual(['canary.started', 'canary.stepped', 'canary.promoted']);
    } finally {
      await listener.close();
    }
  });
});

describe('while the API server is away', () => {
  test('HTTP says so, the route stays, and the release goes on once it is back', async () => {
    const shop = await begun();
    cable.cut();
    try {
      const answer = await problem(`/v1/canaries/${shop.namespace}/${shop.name}`);
      expect(answer).toMatchObject({ status: 503, code: 'unavailable' });
      expect(answer.detail).toContain('The Kubernetes API server is away');
      expect(await shop.weight()).toBe('20');
    } finally {
      cable.mend();
    }
    expect((await shop.until(client, ['Promoted', 'RolledBack', 'Paused'])).phase).toBe('Promoted');
    expect(await shop.acts(client)).toEqual(['start', 'step', 'step', 'promote', 'promoted']);
  });
});

describe('a clock that jumps', () => {
  afterEach(() => {
    offset.ms = 0;
  });

  test.each([
    { name: 'an hour ahead', ms: 3_600_000 },
    { name: 'an hour back', ms: -3_600_000 },
  ])('$name judges nothing while Prometheus disagrees, and goes on once it is right', async ({ ms }) => {
    const shop = await begun();
    offset.ms = ms;
    const apart = /clocks of this service and of Prometheus are 3(599|600|601) s apart/;
    const seen = await looked(shop, { check: 'success-rate', outcome: 'inconclusive', summary: apart });
    expect(seen).toMatchObject({ phase: 'Progressing', step: 0 });
    offset.ms = 0;
    // For a clock that was behind, an hour without a clear answer has passed now: a person is asked then.
    const next = await shop.until(client, ['Promoted', 'RolledBack', 'Paused']);
    if (next.phase === 'Paused') {
      expect(next.reason).toContain('no clear answer for 36');
      await client.resumeCanary({ params: shop.at, body: {} });
    }
    expect((await shop.until(client, ['Promoted', 'RolledBack'])).phase).toBe('Promoted');
  });
});
