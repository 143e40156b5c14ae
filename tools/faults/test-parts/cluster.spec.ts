import { faults, limit } from './fault-run.ts';

test(
  'the node that leads a queue of a cluster is killed, then one is parted from the others, and no order is lost',
  async () => {
    const { run, lines } = await faults('--seed=3', '--for=35s', '--cluster=3', '--only=kill-leader,partition');
    const { code } = await run.exited;
    expect(lines.slice(-12).join('\n')).toMatch(/ \d+ compensated; 0 lost, 0 doubled, 0 stuck, 0 negative$/);
    expect(code).toBe(0);
    expect(lines.some((line) => /kill -9 of node \d, which leads order-demo\./.test(line))).toBe(true);
    expect(lines.some((line) => /node \d, which leads order-demo\..*is parted from the other nodes/.test(line))).toBe(
      true,
    );
    expect(lines.some((line) => line.includes('all nodes see each other again'))).toBe(true);
  },
  limit,
);
