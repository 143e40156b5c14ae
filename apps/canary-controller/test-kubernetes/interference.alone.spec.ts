import { isNotFound, resources } from '@keelson/kubernetes';
import { controllerHere } from './support/controller.ts';
import { Place } from './support/place.ts';
import { clientOf, Shop } from './support/shop.ts';
import { soon } from './support/soon.ts';

// What people and other programs do to the cluster around a release.
let place: Place;
let controller: { url: string; stop(): Promise<void> };
let client: ReturnType<typeof clientOf>;
let options: Parameters<typeof controllerHere>[1];

beforeAll(async () => {
  place = await Place.start({ relay: true });
  options = { ...(await place.base()), leaseNamespace: await place.cluster.namespace() };
  await startController();
});
afterAll(async () => {
  await controller?.stop();
  await place?.stop();
});

async function startController(): Promise<void> {
  controller = await controllerHere(place, options);
  client = clientOf(controller.url);
}

async function held(spec?: object): Promise<Shop> {
  const shop = await Shop.open(place);
  await client.applyCanary({ body: { ...shop.at, spec: shop.spec({ ...shop.long(), ...spec }) } });
  await shop.untilWeight('30');
  return shop;
}

const annotate = (shop: Shop, name: string, annotations: Record<string, string>) =>
  place.client.patch(
    resources.ingresses,
    { metadata: { annotations } },
    { namespace: shop.namespace, name, fieldManager: 'kubectl-annotate' },
  );

describe('before traffic moves', () => {
  test('every reason is told, and once they are gone the release begins by itself', async () => {
    const shop = await Shop.open(place);
    await shop.ingress('files', 'shop-keelson');
    await client.applyCanary({ body: { ...shop.at, spec: shop.long() } });
    const refused = await shop.until(client, ['Refused'], { ok: 0 });
    expect(refused.reason).toContain('Ingress shop-keelson exists and is not of this controller');
    await place.client.delete(resources.ingresses, { namespace: shop.namespace, name: 'shop-keelson' });
    // Looked at anew when the Canary is touched, and every half minute anyway.
    await place.client.patch(resources.canaries, { metadata: { annotations: { look: 'now' } } }, shop.at);
    await shop.untilWeight('30');
  });

  test('an Ingress of that name that somebody else made is neither changed nor removed', async () => {
    const shop = await Shop.open(place);
    await shop.ingress('files', 'shop-keelson');
    await client.applyCanary({ body: { ...shop.at, spec: shop.long() } });
    await shop.until(client, ['Refused'], { ok: 0 });
    await client.deleteCanary({ params: shop.at });
    await soon(async () => (await client.getCanary({ params: shop.at }).catch(() => 'gone')) === 'gone');
    const theirs = await place.client.get(resources.ingresses, { namespace: shop.namespace, name: 'shop-keelson' });
    expect(theirs.spec?.rules?.[0]?.http?.paths[0]?.backend.service?.name).toBe('files');
    expect(theirs.metadata?.managedFields?.map(({ manager }) => manager)).not.toContain('keelson-canary-controller');
  });

  test('two versions whose pods are the same to a Service are refused, and so is a Service without the port', async () => {
    const shop = await Shop.open(place);
    await shop.version('shop-v3', { kind: 'idle' }, { app: 'shop-v3', old: 'no' });
    await place.client.patch(
      resources.services,
      { spec: { selector: { old: 'no', app: null }, ports: [{ name: 'web', port: 8080 }] } },
      { namespace: shop.namespace, name: 'shop-v1' },
    );
    const canary = { deployment: 'shop-v3', service: 'shop-v1' };
    const spec = shop.spec({ stable: { deployment: 'shop-v1', service: 'shop-v2' }, canary });
    await client.applyCanary({ body: { ...shop.at, spec } });
    const { reason } = await shop.until(client, ['Refused'], { ok: 0 });
    expect(reason).toContain('Service shop-v1 has no port http, which Ingress shop uses; it has web');
    expect(reason).toContain('Ingress shop sends');
  });
});

describe('two Canaries on one host and path', () => {
  test('the second is refused, over HTTP and as a resource, and begins once the first is over', async () => {
    const shop = await held();
    const rival = { namespace: shop.namespace, name: 'rival' };
    await expect(client.applyCanary({ body: { ...rival, spec: shop.long() } })).rejects.toMatchObject({
      code: 'route-taken',
      problem: {
        status: 409,
        detail: expect.stringContaining(`Canary ${shop.namespace}/shop is Progressing`) as string,
      },
    });
    await place.client.create(resources.canaries, shop.resource(shop.long(), 'rival'));
    const refused = await soon(async () => {
      const canary = await client.getCanary({ params: rival });
      return canary.phase === 'Refused' ? canary : undefined;
    });
    expect(refused.reason).toContain(`Canary ${shop.namespace}/shop is Progressing on host ${shop.host} and path /`);
    expect(await shop.weight('rival-keelson')).toBeUndefined();
    await client.abortCanary({ params: shop.at, body: {} });
    await shop.until(client, ['RolledBack'], { ok: 0 });
    await place.client.patch(resources.canaries, { metadata: { annotations: { look: 'now' } } }, rival);
    await soon(async () => (await shop.weight('rival-keelson')) === '30');
  });

  test('of ten that begin at the same moment, in two namespaces, one has the route', async () => {
    const shop = await Shop.open(place);
    const other = await Shop.open(place);
    const route = { ingress: 'shop', host: shop.host, path: '/' };
    await place.client.patch(resources.ingresses, [{ op: 'replace', path: '/spec/rules/0/host', value: shop.host }], {
      namespace: other.namespace,
      name: 'shop',
      type: 'json',
    });
    const names = Array.from({ length: 5 }, (_, index) => `at-once-${index}`);
    const all = [shop, other].flatMap((one) => names.map((name) => ({ one, name })));
    await Promise.all(
      all.map(({ one, name }) =>
        place.client.create(resources.canaries, one.resource(one.spec({ ...one.long(), route }), name)),
      ),
    );
    const phases = await soon(async () => {
      const found = await Promise.all(
        all.map(({ one, name }) => client.getCanary({ params: { namespace: one.namespace, name } })),
      );
      const seen = found.map(({ phase }) => phase);
      return seen.includes('Pending') ? undefined : seen.toSorted();
    });
    expect(phases).toEqual(['Progressing', ...Array.from({ length: 9 }, () => 'Refused')]);
  });
});

describe('during a release', () => {
  test('a canary Ingress that somebody removed comes back', async () => {
    const shop = await held();
    await place.client.delete(resources.ingresses, { namespace: shop.namespace, name: 'shop-keelson' });
    await shop.untilWeight('30');
    expect(await client.getCanary({ params: shop.at })).toMatchObject({ phase: 'Progressing' });
  });

  test('one that somebody edited is as it was, annotations of their own aside', async () => {
    const shop = await held({ match: { cookie: 'beta' } });
    const nginx = 'nginx.ingress.kubernetes.io/';
    await annotate(shop, 'shop-keelson', {
      [`${nginx}canary-weight`]: '99',
      [`${nginx}canary-by-cookie`]: 'mine',
      'example.com/note': 'kept',
    });
    await shop.untilWeight('30');
    const { metadata } = await place.client.get(resources.ingresses, {
      namespace: shop.namespace,
      name: 'shop-keelson',
    });
    expect(metadata?.annotations).toMatchObject({ [`${nginx}canary-by-cookie`]: 'beta', 'example.com/note': 'kept' });
  });

  test('the user’s route that goes elsewhere stops it, says why, and goes on when it is back', async () => {
    const shop = await held({ steps: [{ weight: 30, holdSeconds: 2 }] });
    const point = (service: string) =>
      place.client.patch(
        resources.ingresses,
        [{ op: 'replace', path: '/spec/rules/0/http/paths/0/backend/service/name', value: service }],
        { namespace: shop.namespace, name: 'shop', type: 'json' },
      );
    await point('files');
    const words = `Ingress shop was changed: it sends ${shop.host}/ to Service files, not to shop-v1`;
    const told = await soon(async () => {
      place.figures.add({ ...shop.at, service: 'shop-v2' }, 10);
      const canary = await client.getCanary({ params: shop.at });
      return canary.reason.includes(words) ? canary : undefined;
    });
    expect(told).toMatchObject({ phase: 'Progressing', step: 0 });
    const { status } = await place.client.get(resources.canaries, shop.at);
    expect(status?.reason).toContain(words);
    await point('shop-v1');
    expect((await shop.until(client, ['Promoted', 'RolledBack', 'Paused'])).phase).toBe('Promoted');
  });

  test('a write that a former leader sent before it was deposed is put right when it arrives after the end', async () => {
    const shop = await held();
    const name = { namespace: shop.namespace, name: 'shop-keelson' };
    const { metadata, spec } = await place.client.get(resources.ingresses, name);
    await client.abortCanary({ params: shop.at, body: {} });
    await shop.until(client, ['RolledBack'], { ok: 0 });
    const { labels, annotations, ownerReferences } = metadata!;
    const late = { metadata: { ...name, labels, annotations, ownerReferences }, spec };
    await place.client.apply(resources.ingresses, late, { fieldManager: 'keelson-canary-controller' });
    await shop.untilWeight(undefined);
    expect(await client.getCanary({ params: shop.at })).toMatchObject({ phase: 'RolledBack' });
  });

  test('no traffic is no proof: the step waits, and then a person is asked', async () => {
    const analysis = { intervalSeconds: 1, successRate: { min: 0.95, minSample: 20 }, inconclusiveLimitSeconds: 2 };
    const shop = await held({ steps: [{ weight: 30, holdSeconds: 1 }], analysis });
    const canary = await shop.until(client, ['Paused', 'Promoted', 'RolledBack'], { ok: 0 });
    expect(canary).toMatchObject({ phase: 'Paused', weight: 30 });
    expect(canary.reason).toContain('20 are needed for a verdict');
  });

  test('at a gate it waits for promote, and then ends well', async () => {
    const shop = await Shop.open(place);
    const steps = [{ weight: 30, holdSeconds: 1, pause: true }];
    await client.applyCanary({ body: { ...shop.at, spec: shop.spec({ steps }) } });
    const paused = await shop.until(client, ['Paused', 'Promoted', 'RolledBack']);
    expect(paused).toMatchObject({ phase: 'Paused', reason: 'step 1 waits for promote' });
    await client.promoteCanary({ params: shop.at, body: {} });
    expect((await shop.until(client, ['Promoted', 'RolledBack'])).phase).toBe('Promoted');
  });

  test('a Canary that changes is rolled back first, and its status speaks of the old release until the new one begins', async () => {
    const shop = await held();
    await client.applyCanary({ body: { ...shop.at, spec: shop.spec({ steps: [{ weight: 70, holdSeconds: 600 }] }) } });
    await shop.untilWeight('70');
    expect(await shop.acts(client)).toEqual(['start', 'step', 'roll-back', 'rolled-back', 'start', 'step']);
    await soon(async () => {
      const { metadata, status } = await place.client.get(resources.canaries, shop.at);
      return status?.observedGeneration === metadata.generation && status?.release === metadata.generation;
    });
  });
});

describe('a Canary that is removed', () => {
  const removed = async (shop: Shop) => {
    await shop.untilWeight(undefined);
    expect(await shop.backend()).toBe('shop-v1');
    const history = clientOf(controller.url, 'operator-token');
    // Its history is found under its name again once there is another Canary of that name.
    await soon(
      () =>
        client.applyCanary({ body: { ...shop.at, spec: shop.long(40) } }).then(
          () => true,
          () => false,
        ),
      'the route is free',
    );
    await shop.untilWeight('40');
    const acts = await shop.acts(history);
    expect(acts.slice(0, 3)).toEqual(['start', 'step', 'rolled-back']);
    const end = (await shop.decisions(history))[2]!;
    expect(end.reason).toBe('the Canary was removed during the release; its traffic goes to shop-v1');
  };

  test('in the middle of a release leaves the stable route, and how it ended in the history', async () => {
    const shop = await held();
    await client.deleteCanary({ params: shop.at });
    await removed(shop);
  });

  test('while no controller runs does so, too: its route is not held for ever', async () => {
    const shop = await held();
    await controller.stop();
    await place.client.delete(resources.canaries, shop.at);
    await soon(async () =>
      place.client.get(resources.canaries, shop.at).then(
        () => false,
        (error: unknown) => isNotFound(error),
      ),
    );
    await startController();
    // Another one may have the route as soon as the controller has seen that the first is gone.
    await soon(
      async () =>
        (await client.applyCanary({ body: { ...shop.at, name: 'next', spec: shop.long() } }).catch(() => undefined)) !==
        undefined,
    );
    await soon(async () => (await shop.weight('next-keelson')) === '30');
    expect(await shop.weight()).toBeUndefined();
    await client.deleteCanary({ params: { ...shop.at, name: 'next' } });
    await soon(async () => (await shop.weight('next-keelson')) === undefined);
    await removed(shop);
  });

  test('and made anew under its name at once begins anew', async () => {
    const shop = await held();
    await place.client.delete(resources.canaries, shop.at);
    await soon(() =>
      place.client.create(resources.canaries, shop.resource(shop.long(45))).then(
        () => true,
        () => false,
      ),
    );
    await shop.untilWeight('45');
    expect((await shop.acts(client)).filter((act) => act === 'start')).toHaveLength(2);
  });

  test('when it was promoted leaves the route to the new version', async () => {
    const shop = await Shop.open(place);
    await client.applyCanary({ body: { ...shop.at, spec: shop.spec() } });
    await shop.until(client, ['Promoted']);
    await client.deleteCanary({ params: shop.at });
    await soon(async () => (await client.getCanary({ params: shop.at }).catch(() => 'gone')) === 'gone');
    expect(await shop.backend()).toBe('shop-v2');
    expect(await shop.weight()).toBeUndefined();
  });
});
