import { startProcess } from '@keelson/testing';
import { join } from 'node:path';
import { KINDS } from '../schedule/kinds.ts';

async function faults(...args: string[]): Promise<{ code: number | null; text: string }> {
  const run = await startProcess({
    name: 'faults',
    command: [
      process.execPath,
      '--conditions=keelson-source',
      '--disable-warning=ExperimentalWarning',
      join(import.meta.dirname, '../main.ts'),
      ...args,
    ],
    env: { NODE_OPTIONS: undefined },
  });
  const { code } = await run.exited;
  return { code, text: run.lastLines(200).join('\n') };
}

test('--plan prints the schedule of a seed, the same each time, and starts nothing', async () => {
  const [one, again, other] = await Promise.all([
    faults('--plan', '--seed=7', '--for=5m'),
    faults('--plan', '--seed=7', '--for=5m'),
    faults('--plan', '--seed=8', '--for=5m'),
  ]);
  expect(one.code).toBe(0);
  expect(one.text).toMatch(/^seed 7: \d+ faults in 300 s\n/);
  expect(again.text).toBe(one.text);
  expect(other.text).not.toBe(one.text);
});

test('--list names every kind of fault, a wrong option is refused with 2', async () => {
  const list = await faults('--list');
  expect(list.code).toBe(0);
  for (const [name, { what }] of Object.entries(KINDS))
    expect(list.text).toMatch(new RegExp(`${name} +${what.slice(0, 20)}`));
  expect(await faults('--for=never')).toMatchObject({ code: 2, text: expect.stringContaining('allowed: 10s to 24h') });
});
