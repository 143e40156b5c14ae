import { settingsFromFlags } from './flags.ts';
import { rolesOf } from './roles.ts';

describe('flags', () => {
  test.each([
    { args: [], settings: {} },
    { args: ['--role=api'], settings: { ROLE: 'api' } },
    { args: ['--role', 'coupons', '--app-version', 'v2'], settings: { ROLE: 'coupons', APP_VERSION: 'v2' } },
    { args: ['--host=127.5.0.3', '--port=8080'], settings: { HOST: '127.5.0.3', PORT: '8080' } },
  ])('$args give $settings', ({ args, settings }) => {
    expect(settingsFromFlags(args)).toEqual(settings);
  });

  test.each([
    { args: ['--rol=api'], message: /unknown argument "--rol=api"; allowed: --role=VALUE/ },
    { args: ['api'], message: /unknown argument "api"/ },
    { args: ['--role'], message: /--role needs a value/ },
  ])('$args are refused with the way out', ({ args, message }) => {
    expect(() => settingsFromFlags(args)).toThrow(message);
  });
});

test('all stands for every role, a name for itself', () => {
  expect([...rolesOf('all')]).toEqual(['api', 'inventory', 'documents', 'coupons', 'notifications']);
  expect([...rolesOf('coupons')]).toEqual(['coupons']);
});
