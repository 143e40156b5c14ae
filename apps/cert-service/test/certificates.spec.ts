import { X509Certificate } from 'node:crypto';
import type { Certificate } from '@keelson/contracts';
import { X509Certificate as PeculiarCertificate } from '@peculiar/x509';
import { testDatabase, testVhost, type TestDatabase, type TestVhost } from '@keelson/testing';
import { certService, type CertService } from './support/service.ts';
import { openssl, opensslCsr, type CsrOptions } from './support/openssl.ts';

describe('certificates over HTTP', () => {
  let database: TestDatabase;
  let vhost: TestVhost;
  let service: CertService;
  let root: string;

  beforeAll(async () => {
    [database, vhost] = await Promise.all([testDatabase(), testVhost()]);
    service = await certService({
      databaseUrl: database.url,
      amqpUrl: vhost.amqpUrl,
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
});
