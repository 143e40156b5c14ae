import { selfSigned } from '../../self-signed/self-signed.ts';
import type { Secret } from '../kubernetes-objects.ts';
import { Certificates } from './certificates.ts';

const now = new Date('2026-03-01T10:00:00Z');
const aSecret = (name: string, pair: { certificate: string; key: string }): Secret => ({
  metadata: { namespace: 'shop', name },
  data: {
    'tls.crt': Buffer.from(pair.certificate).toString('base64'),
    'tls.key': Buffer.from(pair.key).toString('base64'),
  },
});
const one = selfSigned({ commonName: 'one', names: ['one.test'], days: 10, now });
const two = selfSigned({ commonName: 'two', names: ['two.test'], days: 20, now });

describe('certificates from Secrets', () => {
  const warnings: string[] = [];
  const make = (defaultSecret?: string): Certificates =>
    new Certificates({ defaultSecret, now, warn: (message) => warnings.push(message) });
  beforeEach(() => warnings.splice(0));

  test('a Secret serves, then its next version, and when it is gone the default', () => {
    const certificates = make('shop/default');
    certificates.put(aSecret('a', one));
    expect(certificates.get('shop/a').certificate).toBe(one.certificate);
    certificates.put(aSecret('a', two));
    expect(certificates.get('shop/a').expires.toISOString()).toBe('2026-03-21T10:00:00.000Z');
    certificates.put(aSecret('default', one));
    certificates.remove(aSecret('a', two));
    expect(certificates.get('shop/a').certificate).toBe(one.certificate);
  });

  test('a key that does not belong to the certificate leaves the former in use, and is told', () => {
    const certificates = make();
    certificates.put(aSecret('a', one));
    certificates.put(aSecret('a', { certificate: two.certificate, key: one.key }));
    expect(certificates.get('shop/a').certificate).toBe(one.certificate);
    expect(warnings[0]).toMatch(/Secret shop\/a cannot be used \(.*\); the former one stays in use/);
  });

  test('without any Secret there is still a certificate', () => {
    expect(make('shop/none').default.certificate).toContain('BEGIN CERTIFICATE');
  });
});
