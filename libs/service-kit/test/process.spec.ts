import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, type ManagedProcess } from '@keelson/testing';
import { cleanEnvironment, exampleCommand, exampleProcess, logLines } from './example-process-runner.ts';

const messages = (example: ManagedProcess): unknown[] => logLines(example).map(({ msg }) => msg);

/** Runs the example to its end. */
function run(environment: Record<string, string>): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = { ...process.env, ...cleanEnvironment, ...environment };
  return new Promise((resolve) => {
    execFile(exampleCommand[0]!, exampleCommand.slice(1), { env }, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}

test('SIGTERM lets requests in flight finish, runs the hooks in order and exits with 0', async () => {
  const example = await exampleProcess();
  const answer = fetch(`${example.url}/v1/work?ms=400`);
  await eventually(() => messages(example).includes('at work'));
  example.kill('SIGTERM');
  expect(await (await answer).json()).toEqual({ done: true });
  expect(await example.exited).toMatchObject({ code: 0 });
  const said = messages(example).filter((text) => text !== 'at work' && text !== 'listening');
  expect(said.slice(-4)).toEqual(['shutting down', 'first hook', 'second hook', 'stopped']);
});

test('while it drains it is not ready, and after that it accepts nothing', async () => {
  const example = await exampleProcess({ DRAIN_DELAY_MS: '1500' });
  example.kill('SIGTERM');
  await eventually(async () => {
    const response = await fetch(`${example.url}/readyz`);
    return response.status === 503 && ((await response.json()) as { status: string }).status === 'draining';
  });
  // Load balancers that have not noticed yet are still served.
  expect((await fetch(`${example.url}/v1/work?ms=0`)).status).toBe(200);
  expect(await example.exited).toMatchObject({ code: 0 });
  await expect(fetch(`${example.url}/healthz`)).rejects.toThrow('fetch failed');
});

test('what takes longer than the grace time is abandoned by name', async () => {
  const example = await exampleProcess({ SHUTDOWN_GRACE_MS: '200' });
  const answer = fetch(`${example.url}/v1/work?ms=60000`).then(
    () => 'answered',
    () => 'cut off',
  );
  await eventually(() => messages(example).includes('at work'));
  example.kill('SIGTERM');
  expect(await answer).toBe('cut off');
  expect(await example.exited).toMatchObject({ code: 0 });
  const line = logLines(example).find(({ msg }) => msg === 'requests were abandoned');
  expect(line?.['abandoned']).toEqual([expect.stringMatching(/^GET \/v1\/work after \d+ ms$/)]);
});

test('a second signal ends it at once', async () => {
  const example = await exampleProcess();
  void fetch(`${example.url}/v1/work?ms=60000`).catch(() => 'cut off, as it should be');
  await eventually(() => messages(example).includes('at work'));
  example.kill('SIGTERM');
  await eventually(() => messages(example).includes('shutting down'));
  example.kill('SIGINT');
  expect(await example.exited).toMatchObject({ code: 1 });
  expect(messages(example).at(-1)).toBe('second signal: exiting at once');
});

test('a signal during the start ends it at once: what the start waits for may be away for long', async () => {
  const example = await exampleProcess({ WAIT_AT_START: 'yes' }, /"msg":"waiting"/);
  example.kill('SIGTERM');
  expect(await example.exited).toMatchObject({ code: 0 });
});

test.each([
  ['throw', 'an exception that nothing caught', 'thrown aside'],
  ['reject', 'a rejection that nothing handled', 'rejected aside'],
])('a fault that nobody waits for (%s) is logged and ends the process', async (how, says, reason) => {
  const example = await exampleProcess();
  await fetch(`${example.url}/v1/fail?how=${how}`, { method: 'POST' }).catch(() => 'it may go before it answers');
  expect(await example.exited).toMatchObject({ code: 1 });
  const last = logLines(example).at(-1);
  expect(last).toMatchObject({ level: 'fatal', msg: says, err: { message: reason } });
});

test('a configuration that cannot be used ends it with 78 and every fault on stderr', async () => {
  const { code, stderr, stdout } = await run({ PORT: 'eighty', LOG_LEVEL: 'loud' });
  expect(code).toBe(78);
  expect(stderr).toMatch(/^example: 2 faults in the configuration:\n {2}PORT: is "eighty"/);
  expect(stdout).toBe('');
});

test('a start that fails says why and ends it with 1', async () => {
  const { code, stdout } = await run({ FAIL_AT_START: 'yes' });
  expect(code).toBe(1);
  expect(stdout).toContain('the first thing it needs is away');
});

test('a port in use is named', async () => {
  const example = await exampleProcess();
  try {
    const { code, stdout } = await run({ PORT: new URL(example.url!).port });
    expect([code, stdout]).toEqual([1, expect.stringContaining('EADDRINUSE')]);
  } finally {
    await example.stop();
  }
});

test('the ready file tells URL and process', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'keelson-ready-'));
  try {
    const example = await exampleProcess({ READY_FILE: join(folder, 'ready.json') });
    const ready = JSON.parse(await readFile(join(folder, 'ready.json'), 'utf8')) as unknown;
    await example.stop();
    expect(ready).toEqual({ url: example.url, pid: example.pid });
  } finally {
    await rm(folder, { recursive: true });
  }
});
