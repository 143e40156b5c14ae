import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { certificatesApi, type Certificate, type Delivery } from '@keelson/contracts';
import { KubernetesClient, resources, type Secret } from '@keelson/kubernetes';
import { Database } from '@keelson/persistence';
import {
  eventually,
  fixedClock,
  privateFolder,
  removePrivateFolder,
  tcpProxy,
  testCluster,
  testDatabase,
  testVhost,
  type TestCluster,
  type TestDatabase,
  type TestVhost,
} from '@keelson/testing';
import { listener } from '../test/support/messages.ts';
import { opensslCsr } from '../test/support/openssl.ts';
import { certService, newKey, type CertService } from '../test/support/service.ts';

describe('delivery of certificates into Secrets', () => {
  let cluster: TestCluster;
  let database: TestDatabase;
  let vhost: TestVhost;
  let namespace: string;
  let client: KubernetesClient;
  let service: CertService;
  let messages: Awaited<ReturnType<typeof listener>>;
  const clock = fixedClock(new Date());
  const key = newKey();

  const start = (env: Record<string, string> = {}): Promise<CertService> =>
    certService({
      databaseUrl: database.url,
      amqpUrl: vhost.amqpUrl,
      clock,
      env: {
        KEY_ENCRYPTION_KEY: key,
        KUBECONFIG: cluster.kubeconfig,
        DELIVERY_NAMESPACES: namespace,
        DELIVERY_CHECK_SECONDS: '1',
        CLOCK_SKEW_SECONDS: '86400',
        ...env,
      },
    });

  beforeAll(async () => {
    [cluster, database, vhost] = await Promise.all([testCluster(), testDatabase(), testVhost()]);
    namespace = await cluster.namespace();
    client = KubernetesClient.fromKubeconfig(cluster.kubeconfig);
    messages = await listener(vhost.amqpUrl);
    service = await start();
  });
  afterAll(async () => {
    await service?.stop();
    await messages?.stop();
    client?.close();
    await cluster?.stop();
    await Promise.all([database?.drop(), vhost?.delete()]);
  });

  /** The clock of the test stands still unless it is moved; what is due by it comes with each look. */
  const tick = (seconds = 2): void => clock.advance(seconds * 1000);
  const create = (name: string, more: object = {}) =>
    service.call<Delivery>('POST', '/v1/deliveries', {
      json: { dnsNames: [`${name}.example`], secret: { namespace, name }, lifetimeSeconds: 3600, ...more },
    });
  const get = async (id: string): Promise<Delivery> =>
    (await service.call<Delivery>('GET', `/v1/deliveries/${id}`)).body;
  const secret = (name: string): Promise<Secret> => client.get(resources.secrets, { namespace, name });
  const leafOf = (from: Secret): X509Certificate => new X509Certificate(Buffer.from(from.data!['tls.crt']!, 'base64'));
  const until = (id: string, holds: (delivery: Delivery) => boolean): Promise<Delivery> =>
    eventually(
      async () => {
        tick();
        const delivery = await get(id);
        return holds(delivery) && delivery;
      },
      { withinMs: 90_000, everyMs: 250, describe: 'the delivery gets there' },
    );
  const delivered = async (name: string, more: object = {}): Promise<Delivery> => {
    const { status, body } = await create(name, more);
    expect({ status, state: body.state }).toEqual({ status: 202, state: 'pending' });
    return until(body.id, ({ state }) => state === 'delivered');
  };

  test('key and chain arrive in a TLS Secret, belong together, and the key is nowhere else', async () => {
    const { id, certificateId, notAfter, nextRenewalAt } = await delivered('first');
    const found = await secret('first');
    expect(found.type).toBe('kubernetes.io/tls');
    expect(found.metadata?.managedFields?.map(({ manager }) => manager)).toEqual(['keelson-cert-service']);
    const pem = Buffer.from(found.data!['tls.key']!, 'base64').toString();
    expect(leafOf(found).checkPrivateKey(createPrivateKey(pem))).toBe(true);
    expect(leafOf(found).checkHost('first.example')).toBe('first.example');
    const { body } = await service.call('GET', `/v1/certificates/${certificateId}`);
    expect(Buffer.from(found.data!['tls.crt']!, 'base64').toString()).toBe(body.chain);
    expect(body.notAfter).toBe(notAfter);
    const before = (Date.parse(notAfter!) - Date.parse(nextRenewalAt!)) / 1000;
    expect(before).toBeGreaterThanOrEqual(1200);
    expect(before).toBeLessThanOrEqual(1320);
    const scalar = createPrivateKey(pem).export({ format: 'jwk' }).d!;
    const sql = await Database.open({ url: database.url, name: 'test', migrations: [] });
    for (const table of ['certificates', 'deliveries', 'audit_log', 'outbox', 'authorities']) {
      const [row] = await sql.query<{ all: string | null }>(`select string_agg(t::text, ' ') as all from ${table} t`);
      expect(row?.all ?? '').not.toContain(Buffer.from(scalar, 'base64url').toString('hex'));
    }
    await sql.close();
    expect(JSON.stringify(await get(id))).not.toContain('PRIVATE');
  });

  test('is renewed before its end with a new key, told, and the old one is not announced any more', async () => {
    const first = await delivered('renewed', { renewBeforeSeconds: 1800 });
    const before = await secret('renewed');
    tick(2000);
    const second = await until(first.id, ({ certificateId }) => certificateId !== first.certificateId);
    const after = await secret('renewed');
    expect(second.state).toBe('delivered');
    expect(leafOf(after).serialNumber).not.toBe(leafOf(before).serialNumber);
    expect(after.data!['tls.key']).not.toBe(before.data!['tls.key']);
    const told = await eventually(() =>
      messages.heard.find(
        ({ name, payload }) => name === 'certificate.renewed' && payload.certificateId === second.certificateId,
      ),
    );
    expect(told.payload).toMatchObject({
      replacesCertificateId: first.certificateId,
      secret: { namespace, name: 'renewed' },
    });
  });

  test('a Secret that somebody else changed is reported with their name and not overwritten', async () => {
    const { id } = await delivered('changed');
    const foreign = { data: { 'tls.crt': Buffer.from('something else').toString('base64') } };
    await client.patch(resources.secrets, foreign, { namespace, name: 'changed', fieldManager: 'somebody' });
    const conflict = await until(id, ({ state }) => state === 'conflict');
    expect(conflict.reason).toContain('somebody');
    tick(3000);
    await until(id, ({ state }) => state === 'conflict');
    expect((await secret('changed')).data!['tls.crt']).toBe(foreign.data['tls.crt']);
    await client.delete(resources.secrets, { namespace, name: 'changed' });
    await until(id, ({ state }) => state === 'delivered');
    expect(leafOf(await secret('changed')).checkHost('changed.example')).toBe('changed.example');
  });

  test('a Secret that was there before, with fields of another, is left alone', async () => {
    const data = {
      'tls.crt': Buffer.from('theirs').toString('base64'),
      'tls.key': Buffer.from('theirs').toString('base64'),
    };
    await client.create(
      resources.secrets,
      { metadata: { namespace, name: 'theirs' }, type: 'kubernetes.io/tls', data },
      { fieldManager: 'their-tool' },
    );
    const { body } = await create('theirs');
    const conflict = await until(body.id, ({ state }) => state === 'conflict');
    expect(conflict.reason).toContain('owned by their-tool');
    expect(conflict.certificateId).toBeUndefined();
    expect((await secret('theirs')).data).toEqual(data);
    const { body: found } = await service.call<{ items: Certificate[] }>('GET', '/v1/certificates?name=theirs.example');
    expect(found.items).toEqual([]);
  });

  test('a deleted Secret is delivered again, and so is a revoked certificate replaced', async () => {
    const first = await delivered('again');
    await client.delete(resources.secrets, { namespace, name: 'again' });
    const second = await until(first.id, ({ certificateId }) => certificateId !== first.certificateId);
    await service.call('POST', `/v1/certificates/${second.certificateId}/revoke`, {
      json: { reason: 'keyCompromise' },
    });
    const third = await until(first.id, ({ certificateId }) => certificateId !== second.certificateId);
    const { body } = await service.call('GET', `/v1/certificates/${third.certificateId}`);
    expect(leafOf(await secret('again')).serialNumber.toLowerCase()).toBe(body.serial);
  });

  test('several replicas and restarts deliver each Secret once', async () => {
    const replicas = await Promise.all([start(), start()]);
    const created = await Promise.all(Array.from({ length: 12 }, (_, at) => create(`many-${at}`)));
    await service.stop();
    service = await start();
    for (const { body } of created) await until(body.id, ({ state }) => state === 'delivered');
    const { body } = await service.call<{ items: Certificate[] }>('GET', '/v1/certificates?name=many-&limit=100');
    const used = body.items.filter(({ state }) => state === 'valid');
    expect(used).toHaveLength(12);
    await Promise.all(replicas.map((replica) => replica.stop()));
  });

  describe('after a crash', () => {
    let sql: Database;
    beforeAll(async () => {
      sql = await Database.open({ url: database.url, name: 'test', migrations: [] });
    });
    afterAll(() => sql?.close());

    /** As it is after a crash between issue and note: issued, but not known to be in the Secret. Nobody looks at it yet. */
    const crashed = (id: string): Promise<unknown> =>
      eventually(async () => {
        const changed = await sql.execute(
          `update deliveries set state = 'pending', undelivered_id = certificate_id, certificate_id = null, not_after = null,
             next_renewal_at = null, check_at = 'infinity' where id = $1 and leased_by is null`,
          [id],
        );
        return changed === 1;
      });
    const lookAt = (id: string): Promise<unknown> =>
      sql.execute(`update deliveries set check_at = '-infinity' where id = $1`, [id]);

    test('between the write and its note, what arrived is found in the Secret and noted down', async () => {
      const { id, certificateId } = await delivered('noted');
      await crashed(id);
      await lookAt(id);
      const after = await until(id, ({ state }) => state === 'delivered');
      expect(after.certificateId).toBe(certificateId);
    });

    test('between issue and write, the certificate whose key is lost is revoked and another one delivered', async () => {
      const { id, certificateId } = await delivered('lost');
      await crashed(id);
      await client.delete(resources.secrets, { namespace, name: 'lost' });
      await lookAt(id);
      const after = await until(id, ({ state }) => state === 'delivered');
      expect(after.certificateId).not.toBe(certificateId);
      const { body } = await service.call('GET', `/v1/certificates/${certificateId}`);
      expect(body).toMatchObject({ state: 'revoked', revocationReason: 'superseded' });
    });

    test('a lease of a process that died comes free by itself', async () => {
      const { id, certificateId } = await delivered('leased');
      await sql.query(
        `update deliveries set leased_by = 'a dead process', leased_until = clock_timestamp() + interval '2 seconds',
           next_renewal_at = $2, check_at = $2 where id = $1`,
        [id, clock.now()],
      );
      await until(id, (delivery) => delivery.certificateId !== certificateId);
    });
  });

  test('while the API server is gone a delivery says so, all else goes on, and it arrives once the server is back', async () => {
    const config = readFileSync(cluster.kubeconfig, 'utf8');
    const server = /server: *"?([^\s"]+)|"server": *"([^"]+)"/
      .exec(config)!
      .slice(1)
      .find((url) => url !== undefined)!;
    const proxy = await tcpProxy(server);
    const folder = privateFolder('gone');
    const kubeconfig = join(folder, 'kubeconfig');
    writeFileSync(kubeconfig, config.replaceAll(server, proxy.url(server).replace(/\/$/, '')));
    const own = await testDatabase();
    const other = await certService({
      databaseUrl: own.url,
      amqpUrl: vhost.amqpUrl,
      env: { KUBECONFIG: kubeconfig, DELIVERY_NAMESPACES: namespace, DELIVERY_CHECK_SECONDS: '1' },
    });
    proxy.refuse();
    proxy.cut();
    const json = { dnsNames: ['gone.example'], secret: { namespace, name: 'gone' }, lifetimeSeconds: 3600 };
    const { body: created } = await other.call<Delivery>('POST', '/v1/deliveries', { json });
    const look = async (): Promise<Delivery> =>
      (await other.call<Delivery>('GET', `/v1/deliveries/${created.id}`)).body;
    const failed = await eventually(async () => {
      const delivery = await look();
      return delivery.state === 'failed' && delivery;
    });
    expect(failed.reason).toContain('The Kubernetes API cannot be reached');
    expect((await fetch(`${other.url}/readyz`)).status).toBe(200);
    const { status } = await other.call('POST', '/v1/certificates', { json: { csr: await opensslCsr() } });
    expect(status).toBe(201);
    proxy.resume();
    await eventually(async () => (await look()).state === 'delivered', { withinMs: 90_000 });
    expect(leafOf(await secret('gone')).checkHost('gone.example')).toBe('gone.example');
    // One certificate, not one for each attempt.
    const { body } = await other.call<{ items: Certificate[] }>('GET', '/v1/certificates?name=gone.example');
    expect(body.items).toHaveLength(1);
    await other.stop();
    await proxy.close();
    await own.drop();
    removePrivateFolder(folder);
  });

  test('what can never be delivered is refused at once, with what is allowed', async () => {
    const elsewhere = await service.call('POST', '/v1/deliveries', {
      json: { dnsNames: ['a.example'], secret: { namespace: 'kube-system', name: 'tls' } },
    });
    expect(elsewhere).toMatchObject({ status: 403, body: { code: 'delivery-not-allowed' } });
    expect(elsewhere.body.detail).toContain(`allowed: ${namespace}`);
    const { body } = await create('twice');
    expect((await create('twice')).body).toMatchObject({ status: 409, code: 'conflict' });
    expect((await create('Bad_Name')).body.errors).toEqual([expect.objectContaining({ pointer: '/secret/name' })]);
    expect((await create('late', { renewBeforeSeconds: 3000 })).body.errors?.[0]?.detail).toContain('at most 2880');
    expect((await create('odd', { dnsNames: ['a_b'] })).body.code).toBe('policy-refused');
    expect((await create('none', { dnsNames: [] })).body.code).toBe('policy-refused');
    const { status } = await service.call('DELETE', `/v1/deliveries/${body.id}`, { token: 'blue-token' });
    expect(status).toBe(404);
    expect((await service.call('DELETE', `/v1/deliveries/${body.id}`)).status).toBe(204);
    expect((await service.call('GET', `/v1/deliveries/${body.id}`)).status).toBe(404);
    expect((await create('twice')).status).toBe(202);
  });

  test('metrics say when each delivered certificate ends', async () => {
    const metrics = await eventually(async () => {
      const text = await (await fetch(`${service.url}/metrics`)).text();
      return text.includes('secret="first"') && text;
    });
    expect(metrics).toMatch(
      new RegExp(`keelson_delivery_not_after_timestamp_seconds{namespace="${namespace}",secret="first"} \\d+`),
    );
    expect(metrics).toContain('keelson_deliveries{state="delivered"}');
    expect(certificatesApi.endpoints.deleteDelivery.status).toBe(204);
  });
});
