import { resources } from '@keelson/kubernetes';
import type { Canary, Decision, Problem } from '@keelson/contracts';
import { controllerHere } from './support/controller.ts';
import { Place } from './support/place.ts';
import { clientOf, Shop } from './support/shop.ts';
import { soon } from './support/soon.ts';

// The HTTP side on a real cluster and database; nobody answers as event-relay, so that no release goes on by itself.
let place: Place;
let controller: { url: string; stop(): Promise<void> };
let client: ReturnType<typeof clientOf>;

beforeAll(async () => {
  place = await Place.start();
  controller = await controllerHere(place, {
    ...(await place.base()),
    leaseNamespace: await place.cluster.namespace(),
  });
  client = clientOf(controller.url);
  // It listens before it has listed the Canaries, and lists are answered 503 until then.
  await soon(async () => (await fetch(`${controller.url}/readyz`)).ok);
});
afterAll(async () => {
  await controller?.stop();
  await place?.stop();
});

interface Call {
  readonly token?: string | null;
  readonly json?: unknown;
  readonly headers?: Record<string, string>;
}

async function call<Body = Canary>(
  method: string,
  path: string,
  { token = 'shop-token', json, headers = {} }: Call = {},
) {
  const response = await fetch(`${controller.url}/v1/canaries${path}`, {
    method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
  });
  const text = await response.text();
  const body = (text === '' ? {} : JSON.parse(text)) as Body & Problem;
  return { status: response.status, type: response.headers.get('content-type'), headers: response.headers, body };
}

/** A spec that is right by itself, for requests that never reach the cluster. */
const blank = {
  stable: { deployment: 'v1', service: 'v1' },
  canary: { deployment: 'v2', service: 'v2' },
  route: { ingress: 'shop', host: 'shop.example' },
  steps: [{ weight: 10 }],
};

const pathOf = (shop: Shop, rest = ''): string => `/${shop.namespace}/${shop.name}${rest}`;

/** A shop whose release is held at 30 %. */
async function progressing(): Promise<Shop> {
  const shop = await Shop.open(place);
  await client.applyCanary({ body: { ...shop.at, spec: shop.long() } });
  await shop.untilWeight('30');
  return shop;
}

describe('who may', () => {
  const cases = [
    { name: 'without a token: no', token: null, method: 'GET', path: '', status: 401, code: 'unauthenticated' },
    { name: 'with a wrong token: no', token: 'wrong', method: 'GET', path: '', status: 401, code: 'unauthenticated' },
    { name: 'a reader may list', token: 'reader-token', method: 'GET', path: '', status: 200 },
    {
      name: 'a reader may not abort',
      token: 'reader-token',
      method: 'POST',
      path: '/a/b/abort',
      status: 403,
      code: 'scope-missing',
    },
    {
      name: 'a reader may not promote',
      token: 'reader-token',
      method: 'POST',
      path: '/a/b/promote',
      status: 403,
      code: 'scope-missing',
    },
    {
      name: 'a reader may not remove',
      token: 'reader-token',
      method: 'DELETE',
      path: '/a/b',
      status: 403,
      code: 'scope-missing',
    },
  ];
  test.each(cases)('$name', async ({ token, method, path, status, code }) => {
    const answer = await call(method, path, { token, ...(method === 'POST' ? { json: {} } : {}) });
    expect(answer.status).toBe(status);
    if (code === undefined) return;
    expect(answer.type).toMatch(/^application\/problem\+json/);
    expect(answer.body).toMatchObject({ type: `https://keelson.dev/problems/${code}`, code, status });
  });

  test('another team sees nothing of a Canary, cannot do anything to it, and cannot take its name', async () => {
    const shop = await progressing();
    const eve = { token: 'other-token' };
    const requests: [string, string, unknown?][] = [
      ['GET', ''],
      ['DELETE', ''],
      ['GET', '/decisions'],
      ...['promote', 'abort', 'pause', 'resume'].map((verb): [string, string, unknown] => ['POST', `/${verb}`, {}]),
    ];
    for (const [method, rest, json] of requests) {
      const { status, body } = await call(method, pathOf(shop, rest), { ...eve, json });
      expect({ method, rest, status, code: body.code }).toEqual({ method, rest, status: 404, code: 'not-found' });
    }
    const list = await call<{ items: Canary[] }>('GET', '?limit=500', eve);
    expect(list.body.items.filter(({ team }) => team !== 'other')).toEqual([]);
    const taken = await call('POST', '', { ...eve, json: { ...shop.at, spec: shop.long() } });
    expect(taken.body).toMatchObject({ status: 409, code: 'conflict' });
    expect((await call('GET', pathOf(shop))).body.phase).toBe('Progressing');
    expect((await call('GET', pathOf(shop), { token: 'operator-token' })).status).toBe(200);
  });

  test('the history of a Canary of another team is not that of the one that takes its name later', async () => {
    const shop = await progressing();
    await call('DELETE', pathOf(shop));
    await shop.untilWeight(undefined);
    const later = clientOf(controller.url, 'other-token');
    await soon(() => later.applyCanary({ body: { ...shop.at, spec: shop.long() } }).catch(() => undefined));
    const decisions = await soon(async () => {
      const found = await shop.decisions(later);
      return found.length > 0 ? found : undefined;
    });
    expect(decisions[0]).toMatchObject({ act: 'start' });
    expect((await shop.decisions(clientOf(controller.url, 'operator-token'))).length).toBeGreaterThan(decisions.length);
  });
});

describe('bad input', () => {
  const cases: {
    name: string;
    method: string;
    path: string;
    json?: object;
    errors?: string;
    status?: number;
    code?: string;
  }[] = [
    { name: 'a limit of 0', method: 'GET', path: '?limit=0', errors: 'query/limit' },
    { name: 'a phase that there is not', method: 'GET', path: '?phase=Bored', errors: 'query/phase' },
    { name: 'a cursor of somebody else', method: 'GET', path: '?cursor=nonsense', errors: 'query/cursor' },
    { name: 'a reason that is no text', method: 'POST', path: '/a/b/abort', json: { reason: 7 }, errors: '/reason' },
    {
      name: 'a field of a command that there is not',
      method: 'POST',
      path: '/a/b/abort',
      json: { why: 'x' },
      errors: 'why',
    },
    { name: 'a name that is none', method: 'GET', path: '/Not_a_name/x', status: 404, code: 'not-found' },
    { name: 'a name with a slash', method: 'DELETE', path: '/a/b%2fstatus', status: 404, code: 'not-found' },
    { name: 'a Canary that there is not', method: 'GET', path: '/default/nothing', status: 404, code: 'not-found' },
  ];
  test.each(cases)(
    '$name is refused',
    async ({ method, path, json, errors, status = 422, code = 'invalid-request' }) => {
      const answer = await call(method, path, json === undefined ? {} : { json });
      expect({ status: answer.status, code: answer.body.code }).toEqual({ status, code });
      if (errors !== undefined) expect(JSON.stringify(answer.body.errors)).toContain(errors);
    },
  );

  test('a cursor of the history that is no id is refused', async () => {
    const shop = await progressing();
    const cursor = Buffer.from('a'.repeat(36)).toString('base64url');
    const { status, body } = await call('GET', pathOf(shop, `/decisions?cursor=${cursor}`));
    expect({ status, code: body.code }).toEqual({ status: 422, code: 'invalid-request' });
  });

  test('an unknown field of a Canary is refused by its name', async () => {
    const json = { namespace: 'default', name: 'shop', spec: { ...blank, stepps: [] } };
    const { status, body } = await call('POST', '', { json });
    expect({ status, code: body.code }).toEqual({ status: 422, code: 'invalid-request' });
    expect(JSON.stringify(body.errors)).toContain('stepps');
  });

  test('every wrong field is named with what is allowed', async () => {
    const spec = {
      ...blank,
      steps: [{ weight: 130 }],
      analysis: { successRate: { min: 99 }, failureLimit: 0 },
    };
    const { body } = await call('POST', '', { json: { namespace: 'default', name: 'Shop!', spec } });
    expect(body.errors?.map(({ pointer }) => pointer)).toEqual([
      '/name',
      '/spec/steps/0/weight',
      '/spec/analysis/successRate/min',
      '/spec/analysis/failureLimit',
    ]);
    expect(JSON.stringify(body.errors)).toContain('<=100');
  });

  test('what only the Kubernetes API knows to be wrong is told in its words', async () => {
    const shop = await Shop.open(place);
    const refused = async (json: object) => (await call('POST', '', { json })).body;
    const same = await refused({
      ...shop.at,
      spec: shop.spec({ canary: { deployment: 'shop-v1', service: 'shop-v2' } }),
    });
    expect(same).toMatchObject({ status: 422, code: 'canary-refused' });
    expect(same.detail).toContain('need a Deployment each');
    const match = { header: { name: 'x', value: 'a', pattern: 'b' } };
    expect((await refused({ ...shop.at, spec: shop.spec({ match }) })).detail).toContain('exclude each other');
    const nowhere = await refused({ namespace: 'no-such-namespace', name: 'shop', spec: shop.spec() });
    expect(nowhere).toMatchObject({ status: 422, code: 'canary-refused' });
    expect(nowhere.detail).toContain('no-such-namespace');
  });

  test('fields that kubectl owns are changed there: 409 with the name of the field and its owner', async () => {
    const shop = await Shop.open(place);
    await place.client.create(resources.canaries, shop.resource(shop.long()), { fieldManager: 'kubectl-create' });
    const { status, body } = await call('POST', '', { json: { ...shop.at, spec: shop.long(50) } });
    expect({ status, code: body.code }).toEqual({ status: 409, code: 'conflict' });
    expect(body.detail).toMatch(/\.spec\.steps.*kubectl-create/);
  });

  test('a colleague may change what another one’s token has applied', async () => {
    const shop = await progressing();
    const { status, body } = await call('POST', '', {
      token: 'operator-token',
      json: { ...shop.at, spec: shop.long(40) },
    });
    expect({ status, team: body.team, release: body.release }).toEqual({ status: 201, team: 'shop', release: 2 });
    await shop.untilWeight('40');
  });
});

describe('commands', () => {
  test('pause, resume, promote and abort, each with its reason and its author in the history', async () => {
    const shop = await progressing();
    const command = async (verb: string, json: object) => (await call('POST', pathOf(shop, `/${verb}`), { json })).body;
    expect(await command('pause', { reason: 'lunch' })).toMatchObject({ phase: 'Paused', reason: 'lunch', weight: 30 });
    expect(await command('resume', {})).toMatchObject({ phase: 'Progressing', reason: 'resumed by hand' });
    expect(await command('abort', { reason: 'I saw errors' })).toMatchObject({ weight: 0, reason: 'I saw errors' });
    await shop.until(client, ['RolledBack'], { ok: 0 });
    expect(await shop.weight()).toBeUndefined();
    expect(await shop.backend()).toBe('shop-v1');
    const decisions = await shop.decisions(client);
    expect(decisions.map(({ act, actor }) => [act, actor])).toEqual([
      ['start', 'controller'],
      ['step', 'controller'],
      ['pause', 'ada'],
      ['resume', 'ada'],
      ['roll-back', 'ada'],
      ['rolled-back', 'controller'],
    ]);
  });

  test('promote with full sends all traffic to the new version', async () => {
    const shop = await progressing();
    const { status, body } = await call('POST', pathOf(shop, '/promote'), { json: { full: true } });
    expect({ status, phase: body.phase, weight: body.weight }).toEqual({
      status: 202,
      phase: 'Promoting',
      weight: 100,
    });
    await shop.until(client, ['Promoted'], { ok: 0 });
    expect(await shop.backend()).toBe('shop-v2');
    expect(await shop.weight()).toBeUndefined();
  });

  test('from a pause, promote goes one step on', async () => {
    const shop = await Shop.open(place);
    const steps = [10, 40].map((weight) => ({ weight, holdSeconds: 600 }));
    await client.applyCanary({ body: { ...shop.at, spec: shop.spec({ steps }) } });
    await shop.untilWeight('10');
    expect((await call('POST', pathOf(shop, '/pause'), { json: {} })).status).toBe(202);
    expect((await call('POST', pathOf(shop, '/promote'), { json: {} })).body).toMatchObject({ step: 1, weight: 40 });
    await shop.untilWeight('40');
  });

  test('a command in the wrong phase is 409 wrong-phase and says which phases are right', async () => {
    const shop = await progressing();
    const refused = async (verb: string, words: string) => {
      const { status, type, body } = await call('POST', pathOf(shop, `/${verb}`), { json: {} });
      expect({ verb, status, code: body.code }).toEqual({ verb, status: 409, code: 'wrong-phase' });
      expect(type).toMatch(/^application\/problem\+json/);
      expect(body.detail).toContain(words);
    };
    await refused('promote', 'the release is Progressing');
    expect((await call('POST', pathOf(shop, '/abort'), { json: {} })).status).toBe(202);
    await shop.until(client, ['RolledBack'], { ok: 0 });
    await refused('pause', 'pause is possible while it is Progressing');
    await refused('resume', 'resume is possible while it is Paused');
    await refused('promote', 'promote is possible while it is Paused or Progressing');
    // Asked for what is so already: no fault, and no further decision.
    expect((await call('POST', pathOf(shop, '/abort'), { json: {} })).status).toBe(202);
    expect((await shop.acts(client)).filter((act) => act === 'roll-back')).toHaveLength(1);
  });

  test('the same Idempotency-Key sends a release one step on, however often it comes', async () => {
    const shop = await Shop.open(place);
    const steps = [10, 20, 30, 40].map((weight) => ({ weight, holdSeconds: 600 }));
    await client.applyCanary({ body: { ...shop.at, spec: shop.spec({ steps }) } });
    await shop.untilWeight('10');
    await call('POST', pathOf(shop, '/pause'), { json: {} });
    const promote = () =>
      call('POST', pathOf(shop, '/promote'), { json: {}, headers: { 'idempotency-key': 'once-only' } });
    const first = await promote();
    expect(first.body).toMatchObject({ phase: 'Progressing', step: 1 });
    await call('POST', pathOf(shop, '/pause'), { json: {} });
    const second = await promote();
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    expect(second.body).toEqual(first.body);
    expect((await call('GET', pathOf(shop))).body).toMatchObject({ phase: 'Paused', step: 1 });
  });
});

describe('lists', () => {
  test('page through all of it, each row once, and narrow by namespace and phase', async () => {
    const shop = await Shop.open(place);
    const names = ['a', 'b', 'c', 'd', 'e'];
    for (const name of names) {
      const spec = shop.spec({ route: { ingress: 'shop', host: `${name}.nowhere.example` } });
      await place.client.create(resources.canaries, shop.resource(spec, name));
    }
    const page = async (query: string) =>
      (await call<{ items: Canary[]; next?: string }>('GET', `?namespace=${shop.namespace}${query}`)).body;
    await soon(async () => (await page('&phase=Refused')).items.length === names.length);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const { items, next } = await page(`&limit=2${cursor === undefined ? '' : `&cursor=${cursor}`}`);
      expect(items.length).toBeLessThanOrEqual(2);
      seen.push(...items.map(({ name }) => name));
      cursor = next;
    } while (cursor !== undefined);
    expect(seen).toEqual(names);
    expect((await page('&phase=Promoted')).items).toEqual([]);
    const [first] = (await page('')).items;
    expect(first!.reason).toBe('Ingress shop has no rule for host a.nowhere.example and path / (spec.route)');
  });

  test('the history pages from the newest, and narrows by release', async () => {
    const shop = await progressing();
    await call('POST', pathOf(shop, '/pause'), { json: {} });
    await call('POST', pathOf(shop, '/resume'), { json: {} });
    const page = async (query: string) =>
      (await call<{ items: Decision[]; next?: string }>('GET', pathOf(shop, `/decisions${query}`))).body;
    const first = await page('?limit=3');
    expect(first.items.map(({ act }) => act)).toEqual(['resume', 'pause', 'step']);
    const last = await page(`?limit=3&cursor=${first.next}`);
    expect(last.items.map(({ act }) => act)).toEqual(['start']);
    expect(last.next).toBeUndefined();
    expect((await page('?release=1')).items).toHaveLength(4);
    expect((await page('?release=2')).items).toEqual([]);
  });
});
