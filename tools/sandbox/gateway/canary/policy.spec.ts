import fc from 'fast-check';
import { choosesCanary, cookieValue, noCanary, type CanaryPolicy, type CanaryRequest } from './policy.ts';

const aRequest = (headers: Record<string, string> = {}): CanaryRequest => ({
  header: (name) => headers[name],
  cookie: (name) => cookieValue(headers['cookie'], name),
});
const always = (): number => 0;
const never = (): number => 0.999999;
const aPolicy = (over: Partial<CanaryPolicy>): CanaryPolicy => ({ ...noCanary, ...over });

describe('the choice between primary and canary', () => {
  test.each<[string, Partial<CanaryPolicy>, Record<string, string>, boolean]>([
    ['no rule at all', {}, {}, false],
    ['header always', { header: 'X-Canary' }, { 'x-canary': 'always' }, true],
    ['header never', { header: 'X-Canary', weight: 100 }, { 'x-canary': 'never' }, false],
    [
      'header with another word falls through to the weight',
      { header: 'X-Canary', weight: 100 },
      { 'x-canary': 'yes' },
      true,
    ],
    ['header value equal', { header: 'X-Region', headerValue: 'eu' }, { 'x-region': 'eu' }, true],
    ['header value other', { header: 'X-Region', headerValue: 'eu' }, { 'x-region': 'us' }, false],
    ['with a value, always means nothing', { header: 'X-Region', headerValue: 'eu' }, { 'x-region': 'always' }, false],
    [
      'with a value, never falls through to the weight',
      { header: 'H', headerValue: 'eu', weight: 100 },
      { h: 'never' },
      true,
    ],
    ['header pattern matches', { header: 'X-User', headerPattern: /^a.*z$/ }, { 'x-user': 'abcz' }, true],
    ['header pattern does not match', { header: 'X-User', headerPattern: /^a.*z$/ }, { 'x-user': 'b' }, false],
    ['a value hides the pattern', { header: 'H', headerValue: 'eu', headerPattern: /us/ }, { h: 'us' }, false],
    ['cookie always', { cookie: 'beta' }, { cookie: 'a=b; beta=always' }, true],
    ['cookie never beats the weight', { cookie: 'beta', weight: 100 }, { cookie: 'beta=never' }, false],
    ['cookie with another word falls through', { cookie: 'beta' }, { cookie: 'beta=1' }, false],
    ['header never beats cookie always', { header: 'H', cookie: 'c' }, { h: 'never', cookie: 'c=always' }, false],
    ['header always beats cookie never', { header: 'H', cookie: 'c' }, { h: 'always', cookie: 'c=never' }, true],
    ['an undecided header leaves it to the cookie', { header: 'H', cookie: 'c' }, { h: '?', cookie: 'c=always' }, true],
  ])('%s', (_, policy, headers, expected) => {
    // never: no weight below 100 % sends to the canary by chance; 100 % always does.
    expect(choosesCanary(aPolicy(policy), aRequest(headers), never)).toBe(expected);
  });

  test('weight 0 never, weight 100 always', () => {
    expect(choosesCanary(aPolicy({ weight: 0 }), aRequest(), always)).toBe(false);
    expect(choosesCanary(aPolicy({ weight: 100 }), aRequest(), never)).toBe(true);
  });

  test('a total of 100 or less counts as 100, as in ingress-nginx', () => {
    expect(choosesCanary(aPolicy({ weight: 50, weightTotal: 50 }), aRequest(), () => 0.75)).toBe(false);
    expect(choosesCanary(aPolicy({ weight: 50, weightTotal: 1000 }), aRequest(), () => 0.06)).toBe(false);
    expect(choosesCanary(aPolicy({ weight: 50, weightTotal: 1000 }), aRequest(), () => 0.04)).toBe(true);
  });

  test('the share of the canary is its weight, within the bounds of the binomial distribution', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1000 }),
        fc.constantFrom(100, 200, 1000),
        fc.integer(),
        (w, total, seed) => {
          const weight = Math.min(w, total);
          const random = generator(seed);
          const n = 4000;
          let hits = 0;
          for (let i = 0; i < n; i++) {
            if (choosesCanary(aPolicy({ weight, weightTotal: total }), aRequest(), random)) hits += 1;
          }
          const p = weight / total;
          const sigma = Math.sqrt(n * p * (1 - p));
          // Six standard deviations: one false alarm in 500 million.
          expect(Math.abs(hits - n * p)).toBeLessThanOrEqual(6 * sigma + 1e-9);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('a deciding header makes cookie and chance irrelevant', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('always', 'never'),
        fc.constantFrom('always', 'never', 'x', ''),
        fc.integer({ min: 0, max: 100 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (header, cookie, weight, chance) => {
          const request = aRequest({ h: header, cookie: `c=${cookie}` });
          const policy = aPolicy({ header: 'H', cookie: 'c', weight });
          expect(choosesCanary(policy, request, () => chance)).toBe(header === 'always');
        },
      ),
    );
  });
});

describe('cookies', () => {
  test.each([
    ['a=1; b=2', 'b', '2'],
    ['a=1;B=2', 'b', '2'],
    ['ab=1', 'b', undefined],
    ['b=x=y', 'b', 'x=y'],
    ['b', 'b', undefined],
    [undefined, 'b', undefined],
  ])('%s: %s is %s', (header, name, value) => {
    expect(cookieValue(header, name)).toBe(value);
  });
});

/** mulberry32: small, seeded, good enough for counting. */
function generator(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
