import { parseOptions } from './options.ts';

const file = ['--kubeconfig-out', '/tmp/kubeconfig'];

describe('the options of the sandbox’s API server', () => {
  test('have defaults but for the kubeconfig', () => {
    expect(parseOptions(file)).toEqual({
      kubeconfigOut: '/tmp/kubeconfig',
      host: '127.0.0.1',
      port: 0,
      eventTtlMs: 3_600_000,
      bookmarkMs: 10_000,
      window: 2000,
    });
    expect(parseOptions(['--help'])).toBe('help');
  });

  test.each([
    { args: [], said: '--kubeconfig-out is missing' },
    { args: [...file, '--prot', '1'], said: "Unknown option '--prot'" },
    { args: [...file, '--port', 'abc'], said: '--port is "abc"; allowed is 0 to 65535' },
    { args: [...file, '--port', '70000'], said: '--port is "70000"; allowed is 0 to 65535' },
    { args: [...file, '--event-ttl', '1w'], said: '--event-ttl is "1w"; allowed is a duration' },
    { args: [...file, '--bookmark-interval', '0s'], said: '--bookmark-interval is "0s"; allowed is a duration' },
    { args: [...file, '--watch-window', '0'], said: '--watch-window is "0"; allowed is a whole number from 1' },
  ])('refuse $args, and say what is allowed', ({ args, said }) => {
    expect(() => parseOptions(args)).toThrow(said);
  });
});
