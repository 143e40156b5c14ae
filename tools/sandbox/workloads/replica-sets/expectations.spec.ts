import { Expectations } from './expectations.ts';

test('holds an owner back until the cache shows all that was done', () => {
  const expectations = new Expectations({ lifetimeMs: 1000, now: () => 0 });
  expectations.expect('set', 'a');
  expectations.expect('set', 'b');
  expectations.seen('set', 'a');
  expect(expectations.met('set')).toBe(false);
  expectations.seen('set', 'b');
  expect(expectations.met('set')).toBe(true);
});

test('goes by the cache after all once its time is over', () => {
  let now = 0;
  const expectations = new Expectations({ lifetimeMs: 1000, now: () => now });
  expectations.expect('set', 'a');
  now = 1001;
  expect(expectations.met('set')).toBe(true);
});
