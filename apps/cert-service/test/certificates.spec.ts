import { X509Certificate } from 'node:crypto';
import type { Certificate } from '@keelson/contracts';
import { fixedClock, testDatabase, testVhost, type TestDatabase, type TestVhost } from '@keelson/testing';
import { aCsr, csrPem, p256 } from './support/csr-builder.ts';
import { certService, type CertService } from './support/service.ts';
import { openssl, opensslCsr, type CsrOptions } from './support/openssl.ts';

describe('certificates over HTTP', () => {
  let database: TestDatabase;
  let vhost: TestVhost;
  let service: CertService;
  let root: string;
  const clock = fixedClock(new Date());

  beforeAll(async () => {
    [database, vhost] = await Promise.all([testDatabase(), testVhost()]);
    service = await certService({
      databaseUrl: database.url,
      amqpUrl: vhost.amqpUrl,
      clock,
      env: { PUBLIC_URL: 'http://certs.example:8080/' },
    });
    const { body } = await service.call<{ root: string }>('GET', '/v1/authority', { token: null });
    root = body.root;
  });

  afterAll(async () => {
    await service?.stop();
    await Promise.all([database?.drop(), vhost?.delete()]);
  });

  const issue = async (options: CsrOptions = {}, more: object = {}): Promise<Certificate> => {
    const { status, body } = await service.call('POST', '/v1/certificates', {
      json: { csr: await opensslCsr(options), ...more },
    });
    expect({ status, errors: body.errors }).toEqual({ status: 201, errors: undefined });
    return body;
  };

  test.each(['EC-P256', 'EC-P384', 'RSA-2048', 'RSA-3072', 'RSA-4096', 'Ed25519'] as const)(
    'a request with an %s key gives a chain that openssl verifies strictly',
    async (key) => {
      const certificate = await issue({ key });
      expect(certificate).toMatchObject({ keyType: key, state: 'valid', dnsNames: ['shop.example'], team: 'red' });
      const [leaf, intermediate] = certificate.chain.split(/(?<=-----END CERTIFICATE-----\n)/);
      const verified = await openssl(
        ['verify', '-x509_strict', '-purpose', 'sslserver', '-verify_hostname', 'shop.example'].concat([
          '-CAfile',
          'root.pem',
          '-untrusted',
          'intermediate.pem',
          'leaf.pem',
        ]),
        { 'root.pem': root, 'intermediate.pem': intermediate!, 'leaf.pem': leaf! },
      );
      expect(verified).toContain('leaf.pem: OK');
      const parsed = new X509Certificate(leaf!);
      expect(parsed.verify(new X509Certificate(intermediate!).publicKey)).toBe(true);
      expect(parsed.serialNumber.toLowerCase()).toBe(certificate.serial);
    },
  );

  test('openssl reads usages, constraints and the distribution point from the public address', async () => {
    const { chain } = await issue({ key: 'RSA-2048', subject: '/C=DE/O=Acme/CN=Shop.Example' });
    const text = await openssl(['x509', '-noout', '-text', '-in', 'leaf.pem'], { 'leaf.pem': chain });
    for (const part of [
      'Version: 3',
      'Subject: C = DE, O = Acme, CN = shop.example',
      'CA:FALSE',
      'TLS Web Server Authentication',
      'Digital Signature, Key Encipherment',
      'URI:http://certs.example:8080/v1/crl',
      'DNS:shop.example',
    ]) {
      expect(text).toContain(part);
    }
  });

  test('names are normalised: A-labels, lower case, RFC 5952, each once', async () => {
    const certificate = await issue({
      subject: '/CN=BÜCHER.Example',
      names: 'DNS:xn--bcher-kva.example,DNS:*.SHOP.example,IP:FD00:0:0:0:0:0:0:1',
    });
    expect(certificate).toMatchObject({
      subject: 'CN=xn--bcher-kva.example',
      dnsNames: ['xn--bcher-kva.example', '*.shop.example'],
      ipAddresses: ['fd00::1'],
    });
  });

  test('DER in base64 is taken like PEM, and profile and lifetime are as asked', async () => {
    const certificate = await issue({ der: true }, { profile: 'client', lifetimeSeconds: 3600 });
    expect(certificate.profile).toBe('client');
    const seconds = (Date.parse(certificate.notAfter) - Date.parse(certificate.createdAt)) / 1000;
    expect(Math.abs(seconds - 3600)).toBeLessThan(1);
    expect(Date.parse(certificate.createdAt) - Date.parse(certificate.notBefore)).toBeGreaterThanOrEqual(60_000);
  });

  describe('a request that is refused', () => {
    const refused = async (body: object) => service.call('POST', '/v1/certificates', { json: body });

    test.each<{ name: string; csr: () => Promise<string> | string; status: number; code: string; says: string }>([
      { name: 'no base64', csr: () => 'hello', status: 400, code: 'malformed-csr', says: 'neither PEM nor base64' },
      {
        name: 'truncated',
        csr: async () => (await opensslCsr({ der: true })).slice(0, 120),
        status: 400,
        code: 'malformed-csr',
        says: 'byte 0: truncated',
      },
      {
        name: 'an octet too many',
        csr: () => Buffer.concat([aCsr(), Buffer.from([0])]).toString('base64'),
        status: 400,
        code: 'malformed-csr',
        says: 'trailing',
      },
      {
        name: 'oversized',
        csr: () => Buffer.alloc(20_000).toString('base64'),
        status: 400,
        code: 'malformed-csr',
        says: 'oversized',
      },
      {
        name: 'signed by another key',
        csr: () => csrPem(aCsr({ signer: p256().privateKey })),
        status: 400,
        code: 'bad-csr-signature',
        says: 'proof of possession',
      },
      {
        name: 'with 1024 bits of RSA',
        csr: () => opensslCsr({ key: 'RSA-1024' }),
        status: 422,
        code: 'weak-key',
        says: '1024 bits',
      },
      {
        name: 'on curve P-521',
        csr: () => opensslCsr({ key: 'EC-P521' }),
        status: 422,
        code: 'weak-key',
        says: 'not supported',
      },
      {
        name: 'signed with SHA-1',
        csr: () => opensslCsr({ key: 'RSA-2048', digest: 'sha1' }),
        status: 422,
        code: 'weak-signature',
        says: 'SHA-1',
      },
      {
        name: 'signed with MD5',
        csr: () => opensslCsr({ key: 'RSA-2048', digest: 'md5' }),
        status: 422,
        code: 'weak-signature',
        says: 'MD5',
      },
      {
        name: 'with a name that is none',
        csr: () => opensslCsr({ names: 'DNS:a_b.example' }),
        status: 422,
        code: 'policy-refused',
        says: 'a_b',
      },
      {
        name: 'for a CA',
        csr: () => opensslCsr({ extensions: ['basicConstraints=CA:TRUE'] }),
        status: 422,
        code: 'policy-refused',
        says: 'not-a-ca',
      },
      {
        name: 'without a name',
        csr: () => opensslCsr({ subject: '/O=Acme', names: '' }),
        status: 422,
        code: 'policy-refused',
        says: 'has-a-name',
      },
    ])('$name: $code', async ({ csr, status, code, says }) => {
      const before = await count();
      const { status: answered, headers, body } = await refused({ csr: await csr() });
      expect({ status: answered, code: body.code }).toEqual({ status, code });
      expect(headers.get('content-type')).toContain('application/problem+json');
      expect(JSON.stringify(body.errors)).toContain(says);
      expect(body.traceId).toMatch(/^[0-9a-f]{32}$/);
      expect(await count()).toBe(before);
    });

    const count = async (): Promise<number> => {
      const { body } = await service.call<{ items: unknown[] }>('GET', '/v1/audit?limit=500', {
        token: 'operator-token',
      });
      return body.items.length;
    };

    test('a body that breaks the contract, and a token without the scope', async () => {
      expect((await refused({ csr: 'x', lifetime: 5 })).body.errors?.[0]).toEqual({
        pointer: '/lifetime',
        detail: 'is unknown',
      });
      const { status } = await service.call('POST', '/v1/certificates', { token: 'reader-token', json: { csr: 'x' } });
      expect(status).toBe(403);
      expect((await service.call('GET', '/v1/certificates', { token: null })).status).toBe(401);
    });
  });

  test('the same Idempotency-Key gives the same certificate, also when both come at once', async () => {
    const json = { csr: await opensslCsr() };
    const call = () =>
      service.call('POST', '/v1/certificates', { json, headers: { 'idempotency-key': 'once-and-for-all' } });
    const answers = await Promise.all([call(), call(), call()]);
    const again = await call();
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    const issued = answers.filter(({ status }) => status === 201);
    expect(issued.length).toBeGreaterThan(0);
    for (const { body } of issued) expect(body.id).toBe(again.body.id);
    for (const { status } of answers) expect([201, 409]).toContain(status);
    const other = await service.call('POST', '/v1/certificates', {
      json: { csr: await opensslCsr() },
      headers: { 'idempotency-key': 'once-and-for-all' },
    });
    expect(other.body.code).toBe('idempotency-key-reused');
  });

  describe('the inventory', () => {
    let mine: Certificate[];
    beforeAll(async () => {
      mine = [];
      for (const name of ['one', 'two', 'three', 'four', 'five']) {
        mine.push(await issue({ subject: '/', names: `DNS:${name}.search.example,IP:10.9.8.7` }));
      }
    });
    const list = async (query: string, token = 'red-token') => {
      const { body } = await service.call<{ items: Certificate[]; next?: string }>('GET', `/v1/certificates?${query}`, {
        token,
      });
      return body;
    };

    test('one certificate is the same as it was issued', async () => {
      expect((await service.call('GET', `/v1/certificates/${mine[0]!.id}`)).body).toEqual(mine[0]);
    });

    test('the list is newest first, in pages that neither skip nor repeat', async () => {
      const seen: string[] = [];
      for (let cursor = ''; ;) {
        const page = await list(`name=search.example&limit=2${cursor}`);
        seen.push(...page.items.map(({ id }) => id));
        if (page.next === undefined) break;
        cursor = `&cursor=${page.next}`;
      }
      expect(seen).toEqual(mine.map(({ id }) => id).toReversed());
    });

    test.each([
      { name: 'part of a name in capitals', query: 'name=TWO.Search', found: ['two'] },
      { name: 'an address', query: 'name=10.9.8.7&limit=1', found: ['five'] },
      { name: 'a wildcard of SQL, which is none here', query: 'name=t%25o', found: [] },
      { name: 'the state', query: 'name=search.example&state=revoked', found: [] },
      { name: 'an expiry that is earlier', query: 'name=search.example&expiresBefore=2026-01-01T00:00:00Z', found: [] },
    ])('finds by $name', async ({ query, found }) => {
      const { items } = await list(query);
      expect(items.map(({ dnsNames }) => dnsNames[0]!.split('.')[0])).toEqual(found);
    });

    test('finds by serial number, as openssl and browsers write it', async () => {
      const { serial, id } = mine[2]!;
      for (const text of [serial, serial.toUpperCase(), serial.replace(/..(?=.)/g, '$&:'), `0x00${serial}`]) {
        expect((await list(`serial=${text}`)).items.map((one) => one.id)).toEqual([id]);
      }
    });

    test('a team sees its own, an operator all', async () => {
      const path = `/v1/certificates/${mine[0]!.id}`;
      expect((await list('name=search.example', 'blue-token')).items).toEqual([]);
      expect((await service.call('GET', path, { token: 'blue-token' })).status).toBe(404);
      expect((await service.call('GET', path, { token: 'operator-token' })).status).toBe(200);
      expect((await service.call('POST', `${path}/revoke`, { token: 'blue-token', json: {} })).status).toBe(404);
    });

    test('a cursor of another list is refused', async () => {
      const { status, body } = await service.call('GET', '/v1/certificates?cursor=YXVkaXQ6NQ');
      expect({ status, code: body.code }).toEqual({ status: 422, code: 'invalid-request' });
    });
  });

  test('a certificate that ended is listed as expired', async () => {
    const { id } = await issue({ names: 'DNS:short.example' }, { lifetimeSeconds: 60 });
    clock.advance(61_000);
    expect((await service.call('GET', `/v1/certificates/${id}`)).body.state).toBe('expired');
    const { body } = await service.call<{ items: Certificate[] }>('GET', '/v1/certificates?state=expired');
    expect(body.items.map((one) => one.id)).toContain(id);
  });

  test('no answer and no row holds a private key', async () => {
    const { body } = await service.call<object>('GET', '/v1/authority', { token: null });
    expect(JSON.stringify(body)).not.toContain('PRIVATE');
    const { url } = service;
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('keelson_certificate_signing_seconds_count');
    expect(metrics).toMatch(/keelson_authority_not_after_timestamp_seconds{certificate="root"} \d/);
  });
});
