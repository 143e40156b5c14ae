import { HELP, parseOptions } from './options.ts';
import { kindsFor } from './schedule/kinds.ts';

describe('the command line of npm run faults', () => {
  const cases = [
    {
      args: [],
      gives: { seed: 1, seconds: 60, rate: 30, nodes: 1, planOnly: false, kinds: kindsFor({ cluster: false }) },
    },
    { args: ['--seed', '7', '--for=5m', '--rate=100'], gives: { seed: 7, seconds: 300, rate: 100 } },
    { args: ['--only=kill-broker,cut-database'], gives: { kinds: ['kill-broker', 'cut-database'] } },
    { args: ['--cluster=3', '--only', 'kill-leader'], gives: { nodes: 3, kinds: ['kill-leader'] } },
    { args: ['--plan', '--logs=out', '--no-install'], gives: { planOnly: true, logs: 'out', allowInstall: false } },
    { args: ['--no-build'], gives: { allowInstall: true, build: false } },
  ];
  test.each(cases)('$args', ({ args, gives }) => expect(parseOptions(args)).toMatchObject(gives));

  const faults = [
    { args: ['--seed=x'], says: '--seed is x; allowed: a whole number from 0 to 4294967295' },
    { args: ['--for=5'], says: '--for is 5; allowed: 10s to 24h' },
    { args: ['--for=1s'], says: 'allowed: 10s to 24h' },
    { args: ['--cluster=2'], says: '--cluster is 2; allowed: 1, 3, 5' },
    { args: ['--only=kill-leader'], says: 'needs a cluster' },
    { args: ['--only=earthquake'], says: 'allowed: kill-process' },
    { args: ['--sed=1'], says: '--sed' },
  ];
  test.each(faults)('refuses $args', ({ args, says }) => expect(() => parseOptions(args)).toThrow(says));

  test('its help names every option', () => {
    expect(parseOptions(['--help'])).toBe('help');
    expect(parseOptions(['--list'])).toBe('list');
    for (const name of [
      'seed',
      'for',
      'rate',
      'only',
      'cluster',
      'plan',
      'list',
      'logs',
      'no-install',
      'no-build',
      'help',
    ])
      expect(HELP).toContain(`--${name}`);
  });
});
