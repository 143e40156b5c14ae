import { eventually, startProcess, type ManagedProcess } from '@keelson/testing';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readEnvFile } from './env-file.ts';
import { descendants } from '../services/descendants.ts';

const root = join(import.meta.dirname, '../../..');

function start(...args: string[]): Promise<ManagedProcess> {
  return startProcess({
    name: 'npm start',
    command: [
      join(root, 'node_modules/.bin/node'),
      '--conditions=keelson-source',
      '--disable-warning=ExperimentalWarning',
      '--',
      join(root, 'tools/stack/main.ts'),
      ...args,
    ],
    cwd: root,
    // Of the test runner; a stack on its own has neither.
    env: { NODE_OPTIONS: undefined, KUBECONFIG: undefined, AMQP_URL: undefined },
    deathSignal: 'TERM',
  });
}

/** Kills the process below `pid` whose command line has this in it, with SIGKILL; false where there is none now. */
function kill(pid: number, command: string): boolean {
  const found = descendants(pid).find((one) => one.command.includes(command) && !one.command.startsWith('setpriv'));
  if (found) process.kill(found.pid, 'SIGKILL');
  return found !== undefined;
}

const folders = (): string[] => readdirSync(tmpdir()).filter((name) => /^keelson-.*-stack-/.test(name));

test('with each service killed in turn the story still ends with every order and the right verdicts', async () => {
  const stack = await start('--once');
  const said = (text: string): boolean => stack.lastLines(400).some((line) => line.includes(text));
  const when = (text: string) =>
    eventually(() => said(text) || !stack.running(), { withinMs: 600_000, everyMs: 50, describe: text });
  await when('orders accepted by v1');
  const victims = [
    'apps/event-relay/dist/main.js',
    'dist/main.js --role=api',
    'apps/canary-controller/dist/main.js',
    'dist/main.js --role=inventory',
    'apps/cert-service/dist/main.js',
    'dist/main.js --role=coupons',
  ];
  const moments = [
    'step 1 of 4',
    'step 2 of 4',
    'step 3 of 4',
    'step 4 of 4',
    'A bad version',
    'order-demo-v3 replaces',
  ];
  for (const [index, victim] of victims.entries()) {
    await when(moments[index]!);
    await eventually(() => kill(stack.pid, victim) || !stack.running(), {
      describe: `${victim} to kill`,
    });
  }
  const { code } = await stack.exited;
  const output = stack.lastLines(400).join('\n');
  expect({ code, output }).toMatchObject({ code: 0 });
  expect(output).toMatch(/verifier: .* 0 lost, 0 doubled, 0 stuck, 0 negative/);
  expect(output).toContain('v2 was promoted');
  expect(output).toContain('v3 was rolled back');
}, 900_000);

test('what it writes for other programs is complete and private, and Ctrl-C leaves nothing behind', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'stack-test-'));
  const file = join(folder, 'env');
  const before = new Set(folders());
  const stack = await start('--no-story', `--env-file=${file}`);
  try {
    await eventually(() => existsSync(file) || !stack.running(), { withinMs: 500_000, describe: 'the env file' });
    expect({ running: stack.running(), output: stack.lastLines(30) }).toMatchObject({ running: true });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const values = readEnvFile(readFileSync(file, 'utf8'));
    for (const name of ['KEELSON_CERT_URL', 'KEELSON_EVENTS_URL', 'KEELSON_CANARY_URL']) {
      const answer = await fetch(`${values[name]}/readyz`);
      expect({ name, status: answer.status }).toEqual({ name, status: 200 });
      await answer.body?.cancel();
    }
    const listed = await fetch(`${values['KEELSON_CERT_URL']}/v1/certificates`, {
      headers: { authorization: `Bearer ${values['KEELSON_TOKEN']}` },
    });
    expect(((await listed.json()) as { items: unknown[] }).items.length).toBeGreaterThan(0);
    const refused = await fetch(`${values['KEELSON_CERT_URL']}/v1/certificates`);
    expect(refused.status).toBe(401);
    await refused.body?.cancel();
    const status = execFileSync(
      join(root, 'node_modules/.bin/node'),
      [join(root, 'apps/cli/dist/main.js'), '--env-file', file, 'status', '-o', 'json'],
      {
        encoding: 'utf8',
        env: { PATH: process.env['PATH'] },
      },
    );
    expect((JSON.parse(status) as { items: { state: string }[] }).items.map((one) => one.state)).toEqual([
      'ready',
      'ready',
      'ready',
      'ready',
    ]);
    await alertsHaveFigures(values['PROMETHEUS_URL']!);
  } finally {
    const children = descendants(stack.pid).map((one) => one.pid);
    stack.kill('SIGINT');
    await stack.exited;
    rmSync(folder, { recursive: true });
    const alive = () => children.filter((pid) => existsSync(`/proc/${pid}`) && !/\) Z/.test(readStat(pid)));
    await eventually(() => alive().length === 0, { describe: 'every process of the stack ended' });
  }
  expect(folders().filter((name) => !before.has(name))).toEqual([]);
}, 600_000);

test('after kill -9 of the starter its children die, and the next start sweeps', async () => {
  const stack = await start('--no-story');
  await eventually(() => stack.lastLines(100).some((line) => line.includes('RabbitMQ')) || !stack.running(), {
    withinMs: 120_000,
  });
  const children = descendants(stack.pid).map((one) => one.pid);
  expect(children.length).toBeGreaterThan(2);
  stack.kill('SIGKILL');
  await stack.exited;
  const alive = () => children.filter((pid) => existsSync(`/proc/${pid}`) && !/\) Z/.test(readStat(pid)));
  await eventually(() => alive().length === 0, { describe: 'every child dead' });
}, 600_000);

/** An alert on a metric that nobody has is quiet for ever: Prometheus must know each, and each service's messaging. */
async function alertsHaveFigures(prometheus: string): Promise<void> {
  const ask = async <T>(path: string): Promise<T> => {
    const answer = await fetch(`${prometheus}/api/v1/${path}`);
    return ((await answer.json()) as { data: T }).data;
  };
  const rules = readFileSync(join(root, 'deploy/monitoring/rules.yaml'), 'utf8');
  const asked = [...new Set(rules.match(/\b(?:keelson|order_demo|http_server)_[a-z_]+/g))].map((name) =>
    name.replace(/_(bucket|count|sum)$/, ''),
  );
  expect(asked.length).toBeGreaterThan(10);
  await eventually(
    async () => {
      const known = await ask<Record<string, unknown>>('metadata');
      const missing = asked.filter((name) => !(name in known));
      if (missing.length > 0) throw new Error(`Prometheus does not know ${missing.join(', ')}`);
      const query = encodeURIComponent('count by (job) (keelson_messaging_connected)');
      const { result } = await ask<{ result: { metric: { job: string } }[] }>(`query?query=${query}`);
      // order-demo runs as pods.
      expect(result.map(({ metric }) => metric.job).toSorted()).toEqual([
        'canary-controller',
        'cert-service',
        'event-relay',
        'pods',
      ]);
      return true;
    },
    { withinMs: 60_000, describe: 'figures for every alert' },
  );
}

function readStat(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return '(gone) Z'; // it ended between the two looks
  }
}
