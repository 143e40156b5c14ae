import { HELP, parseOptions } from '../options.ts';

describe('npm start', () => {
  test('brings up the sandbox and plays the release story unless told otherwise', () => {
    expect(parseOptions([])).toEqual({
      once: false,
      story: 'release',
      keepData: false,
      listen: '127.0.0.1',
      envFile: undefined,
      cluster: { kind: 'sandbox' },
      allowInstall: true,
    });
  });

  const cases = [
    { args: ['--once'], gives: { once: true, story: 'release' } },
    { args: ['--no-story'], gives: { story: undefined } },
    { args: ['--env-file', '/tmp/x'], gives: { envFile: '/tmp/x' } },
    { args: ['--cluster=real'], gives: { cluster: { kind: 'real' } } },
    { args: ['--cluster=/etc/kubeconfig'], gives: { cluster: { kind: 'kubeconfig', path: '/etc/kubeconfig' } } },
    { args: ['--no-install', '--listen=0.0.0.0'], gives: { allowInstall: false, listen: '0.0.0.0' } },
  ];
  test.each(cases)('$args', ({ args, gives }) => expect(parseOptions(args)).toMatchObject(gives));

  const faults = [
    { args: ['--story=orders'], says: /--story is orders; allowed: release/ },
    { args: ['--once', '--no-story'], says: /choose one/ },
    { args: ['--onec'], says: /--onec/ },
    { args: ['now'], says: /now/ },
  ];
  test.each(faults)('refuses $args', ({ args, says }) => expect(() => parseOptions(args)).toThrow(says));

  test('its help names every option', () => {
    expect(parseOptions(['--help'])).toBe('help');
    for (const option of [
      'once',
      'no-story',
      'story',
      'keep-data',
      'listen',
      'env-file',
      'cluster',
      'no-install',
      'help',
    ]) {
      expect(HELP).toContain(`--${option}`);
    }
  });
});
