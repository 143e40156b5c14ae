import 'reflect-metadata';
import { revocationReason, type RevocationReason } from '@keelson/contracts';
import { X509Crl, X509CrlReason } from '@peculiar/x509';
import { openssl } from '../../test/support/openssl.ts';
import { createAuthority } from '../authority/create.ts';
import { Issuer } from '../authority/issuer.ts';
import { REASON_CODES, signCrl } from './crl.ts';
import { decideRevocation } from './revocation.ts';
import { mustSign } from './revocation-list.ts';

const now = new Date('2026-05-05T12:00:00Z');
const { intermediate } = createAuthority('Test', now);
const issuer = new Issuer(intermediate.certificate, intermediate.key);
const reasons = revocationReason.options;
const list = {
  number: 4711,
  thisUpdate: now,
  nextUpdate: new Date('2026-05-06T12:00:00Z'),
  revoked: reasons.map((reason, at) => ({ serial: `80${at.toString(16).padStart(2, '0')}`, revokedAt: now, reason })),
};

describe('a revocation list', () => {
  const text = (der: Buffer) =>
    openssl(['crl', '-inform', 'DER', '-in', 'list', '-text', '-noout', '-CAfile', 'ca.pem'], {
      list: der,
      'ca.pem': issuer.pem,
    });

  test('openssl verifies it and reads number, dates, identifier and every reason', async () => {
    const printed = await text(signCrl(issuer, list));
    for (const line of [
      'verify OK',
      'Version 2 (0x1)',
      'Last Update: May  5 12:00:00 2026 GMT',
      'Next Update: May  6 12:00:00 2026 GMT',
      '4711',
      'Serial Number: 8001',
      'Key Compromise',
      'CA Compromise',
      'Affiliation Changed',
      'Superseded',
      'Cessation Of Operation',
      'Certificate Hold',
      'Privilege Withdrawn',
      'AA Compromise',
    ]) {
      expect(printed).toContain(line);
    }
    expect(printed).not.toContain('Unspecified');
    expect(printed.replaceAll(':', '')).toContain(issuer.keyIdentifier.toString('hex').toUpperCase());
  });

  test('@peculiar/x509 reads the same', () => {
    const crl = new X509Crl(signCrl(issuer, list));
    expect(crl.entries).toHaveLength(reasons.length);
    const codes = crl.entries.map(({ reason }) => reason ?? X509CrlReason.unspecified);
    expect(codes).toEqual(reasons.map((reason: RevocationReason) => REASON_CODES[reason]));
  });

  test('without an entry the sequence of entries is left out', async () => {
    const der = signCrl(issuer, { ...list, revoked: [] });
    expect(await text(der)).toContain('No Revoked Certificates');
  });
});

describe('what a revocation does', () => {
  test.each([
    [null, 'keyCompromise', 'revoke'],
    ['keyCompromise', 'keyCompromise', 'nothing'],
    ['keyCompromise', 'superseded', 'nothing'],
    ['certificateHold', 'certificateHold', 'nothing'],
    ['certificateHold', 'keyCompromise', 'harden'],
    ['keyCompromise', 'certificateHold', 'nothing'],
  ] as const)('revoked for %s, asked for %s: %s', (present, asked, step) => {
    expect(decideRevocation(present, asked)).toBe(step);
  });
});

describe('when a list is signed anew', () => {
  const state = { revision: '2', signed_revision: '2', number: '7', this_update: now, next_update: list.nextUpdate };
  const hours = (count: number): Date => new Date(now.getTime() + count * 3_600_000);

  test.each([
    {
      name: 'there is none',
      state: { ...state, this_update: null, next_update: null },
      at: hours(0),
      because: 'none yet',
    },
    { name: 'it is fresh', state, at: hours(11), because: undefined },
    { name: 'it is half over', state, at: hours(13), because: 'half over' },
    { name: 'it is over', state, at: hours(25), because: 'half over' },
    { name: 'a certificate was revoked', state: { ...state, revision: '3' }, at: hours(1), because: 'revoked since' },
    { name: 'the clock went back', state, at: hours(-2), because: 'from the future' },
  ])('$name: $because', ({ state, at, because }) => {
    const due = mustSign(state, at, 86_400);
    if (because === undefined) expect(due).toBeUndefined();
    else expect(due).toContain(because);
  });
});
