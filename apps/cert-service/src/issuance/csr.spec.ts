import 'reflect-metadata';
import { generateKeyPairSync } from 'node:crypto';
import { cryptoProvider, Pkcs10CertificateRequestGenerator, SubjectAlternativeNameExtension } from '@peculiar/x509';
import fc from 'fast-check';
import { OID, toPem, write } from '../der/index.ts';
import { aCsr, anExtension, csrPem, ecdsaWithSha256, p256, rsaWithSha256 } from '../../test/support/csr-builder.ts';
import { opensslCsr } from '../../test/support/openssl.ts';
import { MAX_CSR_OCTETS, parseCsr, parseCsrText } from './csr.ts';
import { CsrError } from './csr-error.ts';

const faultOf = (bytes: Buffer): CsrError => {
  try {
    parseCsr(bytes);
  } catch (error) {
    if (error instanceof CsrError) return error;
    throw error;
  }
  throw new Error('it was accepted');
};

const spkiOf = (key: { publicKey: { export(o: { format: 'der'; type: 'spki' }): Buffer } }): Buffer =>
  key.publicKey.export({ format: 'der', type: 'spki' });

describe('certification requests of other programs', () => {
  test.each(['EC-P256', 'EC-P384', 'RSA-2048', 'Ed25519'] as const)(
    'openssl, %s, as PEM and as base64',
    async (key) => {
      for (const der of [false, true]) {
        const csr = parseCsrText(
          await opensslCsr({
            key,
            der,
            subject: '/C=DE/O=Ünï/CN=a.example',
            names: 'DNS:a.example,IP:10.0.0.1,URI:spiffe://a/b',
          }),
        );
        expect(csr.publicKey.keyType).toBe(key);
        expect(csr.subject.flat()).toEqual([
          { type: 'C', value: 'DE' },
          { type: 'O', value: 'Ünï' },
          { type: 'CN', value: 'a.example' },
        ]);
        expect(csr.extensions).toEqual({
          dnsNames: ['a.example'],
          ipAddresses: ['10.0.0.1'],
          uris: ['spiffe://a/b'],
          ca: false,
          unknownCritical: [],
        });
      }
    },
  );

  test('openssl, with usages, constraints and a challenge password', async () => {
    const extensions = [
      'keyUsage=critical,digitalSignature',
      'extendedKeyUsage=serverAuth',
      'basicConstraints=CA:TRUE',
    ];
    const csr = parseCsrText(await opensslCsr({ extensions, subject: '/', digest: 'sha384' }));
    expect(csr.subject).toEqual([]);
    expect(csr.extensions).toMatchObject({ ca: true, unknownCritical: [] });
  });

  test('@peculiar/x509, ECDSA and RSA', async () => {
    cryptoProvider.set(crypto);
    const algorithms = [
      { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
      { name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-512' },
    ];
    for (const signingAlgorithm of algorithms) {
      const keys = await crypto.subtle.generateKey(signingAlgorithm, true, ['sign', 'verify']);
      const names = new SubjectAlternativeNameExtension([{ type: 'dns', value: 'p.example' }]);
      const request = await Pkcs10CertificateRequestGenerator.create({
        name: 'CN=p.example',
        keys,
        signingAlgorithm,
        extensions: [names],
      });
      expect(parseCsr(Buffer.from(request.rawData)).extensions.dnsNames).toEqual(['p.example']);
    }
  });
});

describe('faults of a request', () => {
  const keys = p256();
  const good = aCsr({ keys });

  test('the builder makes good ones', () => {
    expect(parseCsr(good).extensions.dnsNames).toEqual(['shop.example']);
    expect(parseCsrText(csrPem(good)).publicKey.keyType).toBe('EC-P256');
  });

  const rsa = (bits: number, exponent?: number) =>
    generateKeyPairSync('rsa', { modulusLength: bits, ...(exponent !== undefined && { publicExponent: exponent }) });
  const withKey = (pair: ReturnType<typeof rsa>) => aCsr({ keys: pair, algorithm: rsaWithSha256 });
  const curve = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve });
  const offCurve = (): Buffer => {
    const spki = Buffer.from(spkiOf(keys));
    spki[spki.length - 1]! ^= 1;
    return spki;
  };
  const compressed = write.sequence(
    write.sequence(write.oid(OID.ecPublicKey), write.oid(OID.prime256v1)),
    write.bitString(Buffer.concat([Buffer.from([2]), spkiOf(keys).subarray(27, 59)])),
  );

  test.each([
    {
      name: 'nothing',
      csr: () => Buffer.alloc(0),
      fault: 'malformed-csr',
      says: 'byte 0: CertificationRequest is missing',
    },
    {
      name: 'trailing octets',
      csr: () => Buffer.concat([good, Buffer.from([0])]),
      fault: 'malformed-csr',
      says: `byte ${good.length}: 1 trailing`,
    },
    { name: 'truncation', csr: () => good.subarray(0, -3), fault: 'malformed-csr', says: 'byte 0: truncated' },
    { name: 'too many octets', csr: () => Buffer.alloc(MAX_CSR_OCTETS + 1), fault: 'malformed-csr', says: 'oversized' },
    {
      name: 'a certificate in its place',
      csr: () => write.sequence(write.sequence(write.tagged(0, write.integer(2)))),
      fault: 'malformed-csr',
      says: 'is missing',
    },
    { name: 'another version', csr: () => aCsr({ version: 1 }), fault: 'malformed-csr', says: 'version must be 0' },
    {
      name: 'the signature of another key',
      csr: () => aCsr({ signer: p256().privateKey }),
      fault: 'bad-csr-signature',
      says: 'proof of possession',
    },
    {
      name: 'an RSA signature algorithm on an EC key',
      csr: () => aCsr({ algorithm: rsaWithSha256 }),
      fault: 'bad-csr-signature',
      says: 'for RSA keys',
    },
    {
      name: 'SHA-1',
      csr: () => aCsr({ digest: 'sha1', algorithm: write.sequence(write.oid(OID.ecdsaWithSha1)) }),
      fault: 'weak-signature',
      says: 'ECDSA with SHA-1',
    },
    {
      name: 'RSA with SHA-1',
      csr: () =>
        aCsr({ keys: rsa(2048), digest: 'sha1', algorithm: write.sequence(write.oid(OID.sha1WithRsa), write.derNull) }),
      fault: 'weak-signature',
      says: 'RSA with SHA-1',
    },
    {
      name: 'RSA with MD5',
      csr: () =>
        aCsr({ keys: rsa(2048), digest: 'md5', algorithm: write.sequence(write.oid(OID.md5WithRsa), write.derNull) }),
      fault: 'weak-signature',
      says: 'RSA with MD5',
    },
    {
      name: 'an unknown signature algorithm',
      csr: () => aCsr({ algorithm: write.sequence(write.oid('1.2.3.4')) }),
      fault: 'weak-signature',
      says: '1.2.3.4 is not supported',
    },
    {
      name: 'parameters where ECDSA has none',
      csr: () => aCsr({ algorithm: write.sequence(write.oid(OID.ecdsaWithSha256), write.derNull) }),
      fault: 'malformed-csr',
      says: 'trailing octets after the signature algorithm',
    },
    { name: 'RSA with 1024 bits', csr: () => withKey(rsa(1024)), fault: 'weak-key', says: '1024 bits; at least 2048' },
    { name: 'RSA with 2047 bits', csr: () => withKey(rsa(2047)), fault: 'weak-key', says: '2047 bits; at least 2048' },
    { name: 'RSA with 2560 bits', csr: () => withKey(rsa(2560)), fault: 'weak-key', says: '2560 bits; allowed' },
    {
      name: 'RSA with exponent 3',
      csr: () => withKey(rsa(2048, 3)),
      fault: 'weak-key',
      says: 'exponent must be odd and at least 65537',
    },
    {
      name: 'curve P-521',
      csr: () => aCsr({ keys: curve('secp521r1') }),
      fault: 'weak-key',
      says: 'curve 1.3.132.0.35 is not supported',
    },
    {
      name: 'curve secp256k1',
      csr: () => aCsr({ keys: curve('secp256k1') }),
      fault: 'weak-key',
      says: 'is not supported',
    },
    {
      name: 'Ed448',
      csr: () => aCsr({ keys: generateKeyPairSync('ed448'), digest: null }),
      fault: 'weak-key',
      says: 'is not supported',
    },
    {
      name: 'a compressed point',
      csr: () => aCsr({ keys, spki: compressed }),
      fault: 'malformed-csr',
      says: 'must be uncompressed',
    },
    {
      name: 'a point off its curve',
      csr: () => aCsr({ keys, spki: offCurve() }),
      fault: 'malformed-csr',
      says: 'off its curve',
    },
    {
      name: 'an extension twice',
      csr: () => aCsr({ extensions: [1, 2].map(() => anExtension('1.2.3', false, write.derNull)) }),
      fault: 'malformed-csr',
      says: '1.2.3 is there twice',
    },
    {
      name: 'two requests for extensions',
      csr: () => aCsr({ attributes: [write.sequence(write.oid(OID.extensionRequest), write.setOf(write.sequence()))] }),
      fault: 'malformed-csr',
      says: 'more than one extensionRequest',
    },
    {
      name: 'an empty subjectAltName',
      csr: () => aCsr({ dnsNames: [], extensions: [anExtension(OID.subjectAltName, false, write.sequence())] }),
      fault: 'malformed-csr',
      says: 'subjectAltName is empty',
    },
    {
      name: 'a mail address',
      csr: () => aCsr({ generalNames: [write.implicit(1, Buffer.from('a@b'))] }),
      fault: 'malformed-csr',
      says: 'kind [1] are not supported',
    },
    {
      name: 'an IP address of 5 octets',
      csr: () => aCsr({ generalNames: [write.implicit(7, Buffer.alloc(5))] }),
      fault: 'malformed-csr',
      says: '4 or 16 octets, found 5',
    },
    {
      name: 'more than a hundred names',
      csr: () => aCsr({ dnsNames: Array.from({ length: 101 }, (_, at) => `n${at}.example`) }),
      fault: 'malformed-csr',
      says: 'more than 100',
    },
  ])('$name: $fault', ({ csr, fault, says }) => {
    const found = faultOf(csr());
    expect(found.fault).toBe(fault);
    expect(found.message).toContain(says);
  });

  test('a hundred names are accepted', () => {
    const names = Array.from({ length: 100 }, (_, at) => `n${at}.example`);
    expect(parseCsr(aCsr({ dnsNames: names })).extensions.dnsNames).toEqual(names);
  });

  test('a critical extension that nobody knows is told, one that is not critical is passed over', () => {
    const unknown = ['1.2.3.4', '1.2.3.5'].map((id, at) => anExtension(id, at === 0, write.derNull));
    expect(parseCsr(aCsr({ extensions: unknown })).extensions.unknownCritical).toEqual(['1.2.3.4']);
  });

  test('a private key in place of the request is refused without a word of its content', () => {
    const pem = keys.privateKey.export({ format: 'pem', type: 'pkcs8' }) as string;
    expect(() => parseCsrText(pem)).toThrow('the PEM is a "PRIVATE KEY"');
  });

  test('with any octet changed, a request is refused with a fault of its own, never with another error', () => {
    // The signature covers all but itself and the frame around it, and ECDSA signatures admit no second form in DER.
    fc.assert(
      fc.property(fc.nat({ max: good.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const changed = Buffer.from(good);
        changed[at]! ^= change;
        expect(faultOf(changed)).toBeInstanceOf(CsrError);
      }),
      { numRuns: 1500 },
    );
  });

  test('whatever is done to the inside of a request before it is signed, it is read or refused with a fault', () => {
    const edit = fc.record({
      at: fc.nat(),
      remove: fc.integer({ min: 0, max: 3 }),
      insert: fc.uint8Array({ maxLength: 3 }),
    });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
        const mangle = (info: Buffer): Buffer =>
          edits.reduce((bytes, { at, remove, insert }) => {
            const from = at % bytes.length;
            return Buffer.concat([bytes.subarray(0, from), insert, bytes.subarray(from + remove)]);
          }, info);
        try {
          parseCsr(aCsr({ keys, mangle }));
        } catch (error) {
          expect(error).toBeInstanceOf(CsrError);
        }
      }),
      { numRuns: 1500 },
    );
  });

  test('any octets and any text are refused with a fault', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => {
        expect(faultOf(Buffer.from(octets))).toBeInstanceOf(CsrError);
      }),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.base64String().map((text) => toPem('CERTIFICATE REQUEST', Buffer.from(text))),
        ),
        (text) => {
          expect(() => parseCsrText(text)).toThrow(CsrError);
        },
      ),
    );
  });

  test('the algorithm of the builder is the one that is written everywhere', () => {
    expect(ecdsaWithSha256.toString('hex')).toBe('300a06082a8648ce3d040302');
  });
});
