import 'reflect-metadata';
import { X509Certificate } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  CRLDistributionPointsExtension,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate as Peculiar,
} from '@peculiar/x509';
import fc from 'fast-check';
import { aCsr } from '../../test/support/csr-builder.ts';
import { createAuthority, INTERMEDIATE_DAYS, ROOT_DAYS } from '../authority/create.ts';
import { Issuer } from '../authority/issuer.ts';
import { DerReader, OID, write } from '../der/index.ts';
import { parseCsr } from './csr.ts';
import { lint, lintRules } from './lint.ts';
import { normaliseNames, type SubjectNames } from './names.ts';
import { LeafProfile } from './profile.ts';
import { randomSerial } from './serial.ts';
import { LeafSigner } from './sign.ts';
import { IssuerNotValidError, validityOf } from './validity.ts';

const now = new Date('2026-05-05T12:00:00.500Z');
const { root, intermediate } = createAuthority('Test', now);
const issuer = new Issuer(intermediate.certificate, intermediate.key);
const signer = new LeafSigner(issuer, 'http://certs.example/v1/crl');
const { publicKey } = parseCsr(aCsr());
const namesOf = (dnsNames: string[], subject: SubjectNames['subject'] = []): SubjectNames =>
  normaliseNames({ subject, dnsNames, ipAddresses: ['10.0.0.1', 'fd00::1'], uris: ['spiffe://a/b'] }).names;
const request = {
  profile: 'peer' as const,
  names: namesOf(['a.example', '*.b.example']),
  publicKey,
  lifetimeSeconds: 3600,
};

describe('the authority', () => {
  test('root and intermediate have the constraints, usages, identifiers and lifetimes of RFC 5280, as @peculiar/x509 reads them', () => {
    const [top, middle] = [root, intermediate].map(({ certificate }) => new Peculiar(certificate)) as [
      Peculiar,
      Peculiar,
    ];
    const identifier = (one: Peculiar) => one.getExtension(SubjectKeyIdentifierExtension)?.keyId;
    for (const [one, pathLength, days] of [
      [top, 1, ROOT_DAYS],
      [middle, 0, INTERMEDIATE_DAYS],
    ] as const) {
      expect(one.getExtension(BasicConstraintsExtension)).toMatchObject({ ca: true, pathLength, critical: true });
      const usages = one.getExtension(KeyUsagesExtension);
      expect(usages?.critical).toBe(true);
      expect(usages?.usages).toBe(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign);
      expect(one.getExtension(AuthorityKeyIdentifierExtension)?.keyId).toBe(identifier(top));
      expect(one.notAfter.getTime()).toBe(Math.floor(now.getTime() / 1000) * 1000 + days * 86_400_000);
    }
    expect(new X509Certificate(intermediate.certificate).checkIssued(new X509Certificate(root.certificate))).toBe(true);
    expect(middle.issuer).toBe('O=Test, CN=Test Root');
  });

  test('a key that does not belong to the certificate is refused', () => {
    expect(() => new Issuer(intermediate.certificate, root.key)).toThrow('does not belong');
  });
});

describe('a signed certificate', () => {
  const signed = signer.sign(request, now);
  const parsed = new Peculiar(signed.certificate);

  test('says what was asked, as @peculiar/x509 reads it', () => {
    expect(parsed.getExtension(SubjectAlternativeNameExtension)).toMatchObject({ critical: true });
    expect(
      parsed.getExtension(SubjectAlternativeNameExtension)?.names.items.map(({ type, value }) => [type, value]),
    ).toEqual([
      ['dns', 'a.example'],
      ['dns', '*.b.example'],
      ['url', 'spiffe://a/b'],
      ['ip', '10.0.0.1'],
      ['ip', 'fd00::1'],
    ]);
    expect(parsed.getExtension(ExtendedKeyUsageExtension)?.usages).toEqual([OID.serverAuth, OID.clientAuth]);
    expect(parsed.getExtension(BasicConstraintsExtension)).toMatchObject({ ca: false, critical: true });
    expect(parsed.getExtension(KeyUsagesExtension)?.usages).toBe(KeyUsageFlags.digitalSignature);
    expect(parsed.getExtension(CRLDistributionPointsExtension)).toBeDefined();
    expect(parsed.getExtension(AuthorityKeyIdentifierExtension)?.keyId).toBe(issuer.keyIdentifier.toString('hex'));
    expect(parsed.getExtension(SubjectKeyIdentifierExtension)?.keyId).toBe(publicKey.identifier.toString('hex'));
    expect(parsed.serialNumber).toBe(signed.serial);
  });

  test('is valid from a minute ago, in whole seconds', () => {
    expect(signed.notBefore.toISOString()).toBe('2026-05-05T11:59:00.000Z');
    expect(signed.notAfter.toISOString()).toBe('2026-05-05T13:00:00.000Z');
    expect(parsed.notBefore).toEqual(signed.notBefore);
    expect(parsed.notAfter).toEqual(signed.notAfter);
  });

  test('is signed by the issuer', async () => {
    const [leaf, by] = [signed.certificate, issuer.certificate].map((der) => new X509Certificate(der)) as [
      X509Certificate,
      X509Certificate,
    ];
    expect(leaf.checkIssued(by)).toBe(true);
    expect(leaf.verify(by.publicKey)).toBe(true);
  });

  test('has alternative names that are not critical where there is a subject', () => {
    const names = namesOf(['a.example'], [[{ type: 'CN', value: 'A.Example' }]]);
    const one = signer.sign({ ...request, names }, now);
    expect(one.subject).toBe('CN=a.example');
    expect(new Peculiar(one.certificate).getExtension(SubjectAlternativeNameExtension)?.critical).toBe(false);
  });

  test('never outlives its issuer, and is not signed outside of its time', () => {
    const late = new Date(issuer.notAfter.getTime() - 10_000);
    expect(signer.sign(request, late).notAfter).toEqual(issuer.notAfter);
    expect(() => signer.sign(request, issuer.notAfter)).toThrow(IssuerNotValidError);
    expect(() => signer.sign(request, new Date(issuer.notBefore.getTime() - 1))).toThrow('check the clock');
    expect(validityOf(issuer.notBefore, 60, issuer).notBefore).toEqual(issuer.notBefore);
  });

  test('has a serial number of sixteen octets that is positive, minimal and never the same', () => {
    const serials = Array.from({ length: 2000 }, randomSerial);
    expect(new Set(serials.map((serial) => serial.toString('hex'))).size).toBe(2000);
    for (const serial of serials) {
      expect(serial).toHaveLength(16);
      expect(write.unsignedInteger(serial)).toHaveLength(18);
      expect(new DerReader(write.unsignedInteger(serial)).integer('serial')).toEqual(serial);
    }
  });
});

describe('the lint before signing', () => {
  const fields = {
    serial: randomSerial(),
    notBefore: new Date('2026-05-05T12:00:00Z'),
    notAfter: new Date('2026-05-06T12:00:00Z'),
    names: request.names,
    publicKey,
  };
  const profile = new LeafProfile('server', issuer, 'http://c.example/crl');
  const tbs = profile.toBeSigned(fields);
  const rulesOf = (bytes: Buffer): string[] => lint(bytes, issuer).map(({ rule }) => rule);
  /** Replaces octets by others of the same length, so that all lengths still hold. */
  const swap = (from: Buffer, to: Buffer): Buffer => {
    const at = tbs.indexOf(from);
    expect(at).toBeGreaterThan(0);
    return Buffer.concat([tbs.subarray(0, at), to, tbs.subarray(at + from.length)]);
  };
  const foreign = new LeafProfile('server', new Issuer(root.certificate, root.key), undefined);

  test('finds nothing in what this service writes, whatever the names', () => {
    expect(rulesOf(tbs)).toEqual([]);
    fc.assert(
      fc.property(fc.uniqueArray(fc.domain(), { minLength: 1, maxLength: 5 }), (domains) => {
        const { names, faults } = normaliseNames({ subject: [], dnsNames: domains, ipAddresses: [], uris: [] });
        fc.pre(faults.length === 0);
        expect(rulesOf(profile.toBeSigned({ ...fields, names }))).toEqual([]);
      }),
    );
  });

  test.each([
    {
      name: 'another version',
      rule: 'version',
      bytes: () => swap(Buffer.from('a003020102', 'hex'), Buffer.from('a003020101', 'hex')),
    },
    {
      name: 'a serial of zero',
      rule: 'serial',
      bytes: () => profile.toBeSigned({ ...fields, serial: Buffer.from([0]) }),
    },
    {
      name: 'a serial of 21 octets',
      rule: 'serial',
      bytes: () => profile.toBeSigned({ ...fields, serial: Buffer.alloc(21, 1) }),
    },
    {
      name: 'another algorithm',
      rule: 'signature',
      bytes: () => swap(write.oid(OID.ecdsaWithSha256), write.oid(OID.ecdsaWithSha384)),
    },
    { name: 'another issuer', rule: 'issuer', bytes: () => foreign.toBeSigned(fields) },
    { name: "another issuer's key", rule: 'authority-key-identifier', bytes: () => foreign.toBeSigned(fields) },
    {
      name: 'an end before the beginning',
      rule: 'validity',
      bytes: () => profile.toBeSigned({ ...fields, notAfter: fields.notBefore }),
    },
    {
      name: "an end beyond the issuer's",
      rule: 'validity',
      bytes: () => profile.toBeSigned({ ...fields, notAfter: new Date(issuer.notAfter.getTime() + 1000) }),
    },
    {
      name: 'a name with a capital',
      rule: 'alternative-names',
      bytes: () => swap(Buffer.from('a.example'), Buffer.from('A.example')),
    },
    {
      name: 'a name with a space',
      rule: 'alternative-names',
      bytes: () => swap(Buffer.from('a.example'), Buffer.from('a example')),
    },
    {
      name: 'a name twice',
      rule: 'alternative-names',
      bytes: () => profile.toBeSigned({ ...fields, names: { ...fields.names, dnsNames: ['a.b', 'a.b'] } }),
    },
    {
      name: 'no name and no subject',
      rule: 'subject-or-names',
      bytes: () => profile.toBeSigned({ ...fields, names: { subject: [], dnsNames: [], ipAddresses: [], uris: [] } }),
    },
    {
      name: 'alternative names critical beside a subject',
      rule: 'subject-or-names',
      bytes: () => swap(Buffer.from('0603551d110101ff', 'hex'), Buffer.from('0603551d11010100', 'hex')),
    },
    {
      name: 'a CA',
      rule: 'basic-constraints',
      bytes: () => swap(Buffer.from('0603551d130101ff04023000', 'hex'), Buffer.from('0603551d130101ff04023100', 'hex')),
    },
    {
      name: 'key usage for certificates',
      rule: 'key-usage',
      bytes: () => swap(Buffer.from('03020780', 'hex'), Buffer.from('03020284', 'hex')),
    },
    {
      name: 'key encipherment on an EC key',
      rule: 'key-usage',
      bytes: () => swap(Buffer.from('03020780', 'hex'), Buffer.from('030205a0', 'hex')),
    },
    {
      name: 'an extension twice',
      rule: 'extensions-once',
      bytes: () => swap(Buffer.from('0603551d13', 'hex'), Buffer.from('0603551d0f', 'hex')),
    },
    {
      name: 'a distribution point that is no URL',
      rule: 'distribution-point',
      bytes: () => swap(Buffer.from('http://c'), Buffer.from('ftpx://c')),
    },
    { name: 'octets that are no DER', rule: 'der', bytes: () => tbs.subarray(0, -1) },
  ])('finds $name', ({ rule, bytes }) => {
    expect(rulesOf(bytes())).toContain(rule);
  });

  test('every rule but the frame has a certificate above that breaks it', () => {
    expect(lintRules).toHaveLength(15);
  });
});
