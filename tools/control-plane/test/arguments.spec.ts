import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const script = join(import.meta.dirname, '../control-plane');
const folder = mkdtempSync(join(tmpdir(), 'keelson-control-plane-arguments-'));
const run = (...args: string[]): { code: number | null; stdout: string; stderr: string } => {
  const { status, stdout, stderr } = spawnSync(script, args, {
    encoding: 'utf8',
    env: { ...process.env, CONTROL_PLANE_DIR: join(folder, 'cluster') },
  });
  return { code: status, stdout, stderr };
};

afterAll(() => rmSync(folder, { recursive: true }));

test('--help names every command and goes to stdout', () => {
  const { code, stdout } = run('--help');
  expect(code).toBe(0);
  for (const command of ['up', 'down', 'status', 'kubeconfig', 'kubectl', 'compact', 'build']) {
    expect(stdout).toMatch(new RegExp(`^  ${command}\\b`, 'm'));
  }
});

test('without a command it shows the help and fails', () => {
  expect(run().code).toBe(2);
});

test.each([
  { args: ['start'], said: "no command 'start'" },
  { args: ['up', '--nodes=3'], said: "up does not take '--nodes=3'" },
  { args: ['down', '--restart'], said: "down does not take '--restart'" },
  { args: ['up', '--timeout', 'soon'], said: "--timeout is 'soon'; it takes a number of seconds" },
  { args: ['up', '--with-parent=me'], said: "--with-parent is 'me'; it takes a process id" },
  { args: ['up', '--event-ttl'], said: '--event-ttl needs a value' },
  { args: ['kubectl', 'get', 'pods'], said: 'nothing runs in' },
  { args: ['compact'], said: 'nothing runs in' },
  { args: ['kubeconfig'], said: 'nothing in' },
])('$args is refused: $said', ({ args, said }) => {
  const { code, stdout, stderr } = run(...args);
  expect(stderr).toContain(`control-plane: ${said}`);
  expect(stdout).toBe('');
  expect(code).toBe(1);
});

test('status says that nothing runs, and fails', () => {
  const { code, stdout } = run('status');
  expect(stdout).toMatch(/^etcd +not running$/m);
  expect(stdout).toMatch(/^kube-apiserver +not running$/m);
  expect(code).toBe(1);
});

test('down of what never was does nothing', () => {
  expect(run('down')).toEqual({ code: 0, stdout: '', stderr: '' });
  expect(readdirSync(folder)).toEqual([]);
});
