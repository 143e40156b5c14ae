import { createPrivateKey, X509Certificate } from 'node:crypto';
import { selfSigned } from './self-signed.ts';

describe('a self-signed certificate', () => {
  const now = new Date('2026-03-01T10:00:00Z');
  const { certificate, key } = selfSigned({ commonName: 'node-1', names: ['node-1', '127.117.0.1'], days: 365, now });
  const parsed = new X509Certificate(certificate);

  test('is what it says, signed by its own key', () => {
    expect(parsed.subject).toBe('CN=node-1');
    expect(parsed.issuer).toBe('CN=node-1');
    expect(parsed.subjectAltName).toBe('DNS:node-1, IP Address:127.117.0.1');
    expect(new Date(parsed.validTo).toISOString()).toBe('2027-03-01T10:00:00.000Z');
    expect(parsed.verify(parsed.publicKey)).toBe(true);
    expect(parsed.checkPrivateKey(createPrivateKey(key))).toBe(true);
  });

  test('never has the same serial number twice', () => {
    const other = new X509Certificate(selfSigned({ commonName: 'x', names: ['x'], days: 1, now }).certificate);
    expect(other.serialNumber).not.toBe(parsed.serialNumber);
  });
});
