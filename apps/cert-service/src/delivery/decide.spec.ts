import fc from 'fast-check';
import { decideDelivery, defaultRenewBefore, renewalTime, retryDelayMs, type DeliverySnapshot } from './decide.ts';

const now = new Date('2026-05-05T12:00:00Z');
const soon = new Date(now.getTime() + 1);
const delivered: DeliverySnapshot = {
  state: 'delivered',
  delivered: 'old',
  undelivered: undefined,
  nextRenewalAt: soon,
  secret: { kind: 'present', holds: 'old' },
};
const absent = { kind: 'absent' } as const;
const holding = (holds: string | undefined) => ({ kind: 'present', holds }) as const;

describe('the next step of a delivery', () => {
  test.each<{ name: string; snapshot: DeliverySnapshot; step: object }>([
    { name: 'all is well', snapshot: delivered, step: { kind: 'wait' } },
    {
      name: 'the time has come',
      snapshot: { ...delivered, nextRenewalAt: now },
      step: { kind: 'issue', why: 'renewal' },
    },
    {
      name: 'nothing was delivered yet',
      snapshot: { ...delivered, delivered: undefined, secret: absent },
      step: { kind: 'issue', why: 'first' },
    },
    {
      name: 'a Secret is there before the first delivery',
      snapshot: { ...delivered, delivered: undefined, secret: holding('x') },
      step: { kind: 'issue', why: 'first' },
    },
    {
      name: 'the Secret was deleted',
      snapshot: { ...delivered, secret: absent },
      step: { kind: 'issue', why: 'secret-missing' },
    },
    {
      name: 'somebody else wrote a certificate',
      snapshot: { ...delivered, secret: holding('other') },
      step: { kind: 'conflict' },
    },
    {
      name: 'somebody else wrote, and the time has come',
      snapshot: { ...delivered, nextRenewalAt: now, secret: holding('other') },
      step: { kind: 'conflict' },
    },
    {
      name: 'what is there is no certificate',
      snapshot: { ...delivered, secret: holding(undefined) },
      step: { kind: 'conflict' },
    },
    { name: 'the conflict is over', snapshot: { ...delivered, state: 'conflict' }, step: { kind: 'wait' } },
    {
      name: 'a new one arrived, and nobody noted it',
      snapshot: { ...delivered, undelivered: 'new', secret: holding('new') },
      step: { kind: 'note-arrival' },
    },
    {
      name: 'the first one arrived, and nobody noted it',
      snapshot: { ...delivered, delivered: undefined, undelivered: 'new', secret: holding('new') },
      step: { kind: 'note-arrival' },
    },
    {
      name: 'a new one did not arrive',
      snapshot: { ...delivered, undelivered: 'new', nextRenewalAt: now },
      step: { kind: 'issue', why: 'renewal' },
    },
  ])('$name', ({ snapshot, step }) => {
    expect(decideDelivery(snapshot, now)).toEqual(step);
  });

  test('what somebody else wrote over a delivered certificate is never written to', () => {
    const hash = fc.constantFrom('a', 'b', 'c', undefined);
    const snapshot = fc.record({
      state: fc.constantFrom('pending' as const, 'delivered' as const, 'conflict' as const, 'failed' as const),
      delivered: fc.constantFrom('a', 'b'),
      undelivered: hash,
      nextRenewalAt: fc.constantFrom(undefined, now, soon),
      secret: hash.map(holding),
    });
    fc.assert(
      fc.property(snapshot, (given) => {
        fc.pre(given.secret.holds !== given.delivered);
        expect(['conflict', 'note-arrival']).toContain(decideDelivery(given, now).kind);
      }),
    );
  });
});

describe('the time of a renewal', () => {
  test('lies between a tenth more and exactly the asked time before the end, and after half of the life', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 60, max: 34_000_000 }),
        fc.double({ min: 0.01, max: 0.8, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (lifetime, part, random) => {
          const notAfter = new Date(now.getTime() + lifetime * 1000);
          const before = Math.max(10, Math.floor(lifetime * part));
          const at = renewalTime({ issuedAt: now, notAfter }, before, random).getTime();
          const half = now.getTime() + lifetime * 500;
          expect(at).toBeGreaterThanOrEqual(Math.max(half, notAfter.getTime() - before * 1100) - 1);
          expect(at).toBeLessThanOrEqual(Math.max(half, notAfter.getTime() - before * 1000));
        },
      ),
    );
  });

  test('is a third of the lifetime before the end, where nobody says otherwise', () => {
    expect(defaultRenewBefore(90)).toBe(30);
    expect(defaultRenewBefore(7_776_000)).toBe(2_592_000);
    expect(defaultRenewBefore(20)).toBe(10);
  });
});

test('the pause after failures doubles up to five minutes', () => {
  expect([1, 2, 3, 8, 20].map((failures) => retryDelayMs(failures, 0.5))).toEqual([2000, 4000, 8000, 256_000, 300_000]);
});
