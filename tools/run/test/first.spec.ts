import { execFile } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually, privateFolder, removePrivateFolder, startProcess } from '@keelson/testing';

/**
 * A clone in small: the real first.mjs, one package (whose program `node` stands for Node 24) that real npm installs from
 * a folder, and a command that tells how it was called.
 */
async function clone(root: string): Promise<void> {
  const write = (path: string, text: string): void => {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  const own = join(import.meta.dirname, '..');
  mkdirSync(join(root, 'tools/run'), { recursive: true });
  cpSync(join(own, 'first.mjs'), join(root, 'tools/run/first.mjs'));
  cpSync(join(own, 'packages'), join(root, 'tools/run/packages'), { recursive: true });
  write('node-here/package.json', JSON.stringify({ name: 'node-here', version: '1.0.0', bin: { node: 'node.sh' } }));
  write('node-here/node.sh', `#!/bin/sh\nexec ${process.execPath} "$@"\n`);
  chmodSync(join(root, 'node-here/node.sh'), 0o755);
  write(
    'package.json',
    JSON.stringify({ name: 'clone', private: true, type: 'module', dependencies: { 'node-here': 'file:node-here' } }),
  );
  write(
    'tools/run/format.ts',
    `const [what] = process.argv.slice(2);
     if (what === 'wait') {
       process.on('SIGTERM', () => { console.log('tidied up'); process.exit(0); });
       setInterval(() => {}, 1000);
     }
     console.log(JSON.stringify({ args: process.argv.slice(2), condition: process.execArgv, cwd: process.cwd() }));
     if (what === 'fail') process.exit(7);`,
  );
  await promisify(execFile)('npm', ['install', '--package-lock-only', '--offline'], { cwd: root });
}

interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

function first(root: string, ...args: string[]): Promise<Ran> {
  const { NODE_OPTIONS: _options, ...env } = process.env;
  return new Promise((resolve) => {
    execFile(process.execPath, [join(root, 'tools/run/first.mjs'), ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr });
    });
  });
}

describe('the first step of every npm script', () => {
  let root: string;

  beforeAll(async () => {
    root = privateFolder('clone');
    await clone(root);
  });

  afterAll(() => removePrivateFolder(root));

  test('refuses an unknown command and names those that there are', async () => {
    const { code, stderr } = await first(root, 'tset');
    expect(code).toBe(64);
    expect(stderr).toMatch(/unknown command "tset"; there are: start, test, test:parts/);
  });

  test('installs nothing where that is forbidden, and says what to do', async () => {
    const { code, stderr } = await first(root, 'format', '--no-install');
    expect([code, existsSync(join(root, 'node_modules'))]).toEqual([1, false]);
    expect(stderr).toContain(
      'the packages are not installed (not installed yet), and installing is forbidden (--no-install); run: npm ci',
    );
  });

  test('installs the packages once, also when two start at once, and hands over with the arguments', async () => {
    const [one, two] = await Promise.all([first(root, 'format', 'a b'), first(root, 'format', '--c')]);
    expect([one.code, two.code]).toEqual([0, 0]);
    expect(JSON.parse(one.stdout)).toMatchObject({
      args: ['a b'],
      cwd: root,
      condition: expect.arrayContaining(['--conditions=keelson-source']) as unknown,
    });
    expect(JSON.parse(two.stdout)).toMatchObject({ args: ['--c'] });
    expect(one.stderr).toMatch(/ok {2}packages installed +\d+\.\d s/);
    expect((await first(root, 'format')).stderr).toBe('');
  });

  test('installs again after an installation that was interrupted', async () => {
    await first(root, 'format');
    // npm writes it last.
    rmSync(join(root, 'node_modules/.package-lock.json'));
    const { code, stderr } = await first(root, 'format');
    expect(code).toBe(0);
    expect(stderr).toContain('packages (npm ci: not installed yet)');
  });

  test('ends as its command ends', async () => {
    expect((await first(root, 'format', 'fail')).code).toBe(7);
  });

  test('passes SIGTERM on and waits until the command has tidied up', async () => {
    const run = await startProcess({
      name: 'first',
      command: [process.execPath, join(root, 'tools/run/first.mjs'), 'format', 'wait'],
      env: { NODE_OPTIONS: undefined },
      ready: { line: /"args"/ },
    });
    expect(await run.stop(10_000)).toEqual({ code: 0, signal: null });
    expect(run.lastLines(1)).toEqual(['tidied up']);
  });

  test('is ended by the death of who started it', async () => {
    const npm = await startProcess({
      name: 'npm',
      // As npm does: it starts a shell, and that starts us.
      command: [
        'bash',
        '-c',
        `bash -c '"$0" "$@"; true' "$0" "$@"; true`,
        process.execPath,
        join(root, 'tools/run/first.mjs'),
        'format',
        'wait',
      ],
      env: { NODE_OPTIONS: undefined, npm_lifecycle_event: 'format' },
      ready: { line: /"args"/ },
    });
    process.kill(npm.pid, 'SIGKILL');
    await eventually(() => npm.lastLines().includes('tidied up'), { describe: 'the command has noticed' });
  });
});
