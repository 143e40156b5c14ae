import { faults, limit } from './fault-run.ts';

test(
  'a minute of faults loses, doubles and leaves behind nothing',
  async () => {
    // Of this seed's minute relays, database and broker are killed, and messages come twice or are poison.
    const { run, lines } = await faults('--seed=26', '--for=60s');
    const { code } = await run.exited;
    expect(lines.slice(-12).join('\n')).toMatch(/ \d+ compensated; 0 lost, 0 doubled, 0 stuck, 0 negative$/);
    expect(code).toBe(0);
    expect(lines.some((line) => line.includes('kill -9 of every outbox relay'))).toBe(true);
    const accepted = Number(/^(\d+) accepted/.exec(lines.at(-1)!)![1]);
    expect(accepted).toBe(60 * 30);
  },
  limit,
);
