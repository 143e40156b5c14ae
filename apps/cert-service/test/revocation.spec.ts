import type { Certificate } from '@keelson/contracts';
import { eventually, fixedClock, testDatabase, testVhost, type TestDatabase, type TestVhost } from '@keelson/testing';
import { listener } from './support/messages.ts';
import { openssl, opensslCsr } from './support/openssl.ts';
import { certService, newKey, type CertService } from './support/service.ts';

describe('revocation', () => {
  let database: TestDatabase;
  let vhost: TestVhost;
  let service: CertService;
  let other: CertService;
  let messages: Awaited<ReturnType<typeof listener>>;
  let root: string;
  const clock = fixedClock(new Date());

  beforeAll(async () => {
    [database, vhost] = await Promise.all([testDatabase(), testVhost()]);
    messages = await listener(vhost.amqpUrl);
    const options = {
      databaseUrl: database.url,
      amqpUrl: vhost.amqpUrl,
      clock,
      env: { KEY_ENCRYPTION_KEY: newKey(), CRL_LIFETIME_SECONDS: '120' },
    };
    // Two replicas that start together on an empty database.
    [service, other] = await Promise.all([certService(options), certService(options)]);
    root = (await service.call<{ root: string }>('GET', '/v1/authority', { token: null })).body.root;
  });

  afterAll(async () => {
    await Promise.all([service?.stop(), other?.stop(), messages?.stop()]);
    await Promise.all([database?.drop(), vhost?.delete()]);
  });

  const issue = async (): Promise<Certificate> =>
    (await service.call('POST', '/v1/certificates', { json: { csr: await opensslCsr() } })).body;
  const revoke = (id: string, reason?: string, on = service) =>
    on.call('POST', `/v1/certificates/${id}/revoke`, { json: reason === undefined ? {} : { reason } });
  const crlText = async (on = service): Promise<string> =>
    openssl(['crl', '-inform', 'DER', '-in', 'crl', '-noout', '-text', '-CAfile', 'ca.pem'], {
      crl: await on.bytes('/v1/crl'),
      'ca.pem': (await on.call<{ intermediate: string }>('GET', '/v1/authority', { token: null })).body.intermediate,
    });
  const numberOf = (text: string): number => Number(/CRL Number:\s*(\d+)/.exec(text)![1]);
  const blocks = (chain: string): string[] => chain.split(/(?<=-----END CERTIFICATE-----\n)/);

  test('replicas that start together share one authority', async () => {
    const roots = await Promise.all(
      [service, other].map((one) => one.call<{ root: string }>('GET', '/v1/authority', { token: null })),
    );
    expect(roots[0]!.body).toEqual(roots[1]!.body);
  });

  test('a revoked certificate stands on the list at once, on every replica, and openssl refuses it', async () => {
    const [kept, gone] = [await issue(), await issue()];
    const { status, body } = await revoke(gone.id, 'keyCompromise');
    expect(status).toBe(200);
    expect(body).toMatchObject({ state: 'revoked', revocationReason: 'keyCompromise' });
    for (const replica of [service, other]) {
      const text = await crlText(replica);
      expect(text).toContain('verify OK');
      expect(text.toLowerCase()).toContain(`serial number: ${gone.serial}`);
      expect(text).toContain('Key Compromise');
    }
    const [leaf, intermediate] = blocks(gone.chain);
    const crl = await openssl(['crl', '-inform', 'DER', '-in', 'crl', '-outform', 'PEM'], {
      crl: await service.bytes('/v1/crl'),
    });
    const verify = (certificate: string) =>
      openssl(
        ['verify', '-crl_check', '-CAfile', 'ca.pem', '-CRLfile', 'crl.pem', '-untrusted', 'int.pem', 'leaf.pem'],
        {
          'ca.pem': root,
          'int.pem': intermediate!,
          'crl.pem': crl,
          'leaf.pem': certificate,
        },
      );
    await expect(verify(leaf!)).rejects.toThrow('certificate revoked');
    expect(await verify(blocks(kept.chain)[0]!)).toContain('leaf.pem: OK');
  });

  test('revoking again changes nothing, and is told once', async () => {
    const { id } = await issue();
    const first = await revoke(id, 'superseded');
    const number = numberOf(await crlText());
    clock.advance(1000);
    const again = await revoke(id, 'keyCompromise', other);
    expect(again.body).toEqual(first.body);
    expect(numberOf(await crlText())).toBe(number);
    await eventually(() =>
      messages.heard.some(({ name, payload }) => name === 'certificate.revoked' && payload.certificateId === id),
    );
    const told = messages.heard.filter(
      ({ name, payload }) => name === 'certificate.revoked' && payload.certificateId === id,
    );
    expect(told).toHaveLength(1);
    expect(told[0]!.payload).toMatchObject({ reason: 'superseded', team: 'red', revokedAt: first.body.revokedAt });
  });

  test('a hold can be made a revocation for good, at the date of the hold', async () => {
    const { id } = await issue();
    const held = await revoke(id, 'certificateHold');
    clock.advance(5000);
    const final = await revoke(id, 'cessationOfOperation');
    expect(final.body).toMatchObject({ revocationReason: 'cessationOfOperation', revokedAt: held.body.revokedAt });
    expect((await revoke(id, 'certificateHold')).body.revocationReason).toBe('cessationOfOperation');
  });

  test('without a reason none stands on the list', async () => {
    const { id } = await issue();
    expect((await revoke(id)).body.revocationReason).toBe('unspecified');
    expect(await crlText()).not.toContain('Unspecified');
  });

  test('two revocations at once: one act, one message', async () => {
    const { id } = await issue();
    const answers = await Promise.all([service, other, service, other].map((on) => revoke(id, 'superseded', on)));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    const { body } = await service.call<{ items: { act: string; subject: string }[] }>('GET', '/v1/audit?limit=500');
    expect(body.items.filter(({ act, subject }) => act === 'certificate.revoked' && subject === id)).toHaveLength(1);
  });

  test('the list is signed anew at half of its life, with the next number, and says how long it may be kept', async () => {
    const before = numberOf(await crlText());
    expect(numberOf(await crlText(other))).toBe(before);
    clock.advance(61_000);
    expect(numberOf(await crlText())).toBe(before + 1);
    const { headers } = await fetch(`${service.url}/v1/crl`);
    expect(headers.get('content-type')).toBe('application/pkix-crl');
    expect(headers.get('cache-control')).toBe('public, max-age=30');
    expect(headers.get('etag')).toBe(`"crl-${before + 1}"`);
  });

  test('after the clock went back, a list from the future is replaced', async () => {
    const before = numberOf(await crlText());
    clock.advance(-100_000);
    const text = await crlText();
    expect(numberOf(text)).toBe(before + 1);
  });

  test('an unknown certificate is not found, an unknown reason is named', async () => {
    expect((await revoke('01900000-0000-7000-8000-000000000000')).status).toBe(404);
    const { status, body } = await revoke((await issue()).id, 'boredom');
    expect(status).toBe(422);
    expect(body.errors?.[0]).toMatchObject({ pointer: '/reason' });
  });

  test('each issued certificate is told once', async () => {
    const { id, serial } = await issue();
    await eventually(() =>
      messages.heard.some(({ name, payload }) => name === 'certificate.issued' && payload.certificateId === id),
    );
    const told = messages.heard.filter(
      ({ name, payload }) => name === 'certificate.issued' && payload.certificateId === id,
    );
    expect(told.map(({ payload }) => payload)).toEqual([
      expect.objectContaining({ serial, dnsNames: ['shop.example'] }),
    ]);
  });
});
