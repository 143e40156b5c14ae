import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { privateFolder, removePrivateFolder } from '../folders/private-folder.ts';
import { eventually } from '../time/eventually.ts';
import { debianInstall } from './debian-install.ts';

/** What is tested is the script around apt-get; what stands for apt-get notes what it sees. */
describe('installing Debian packages', () => {
  let folder: string;
  let policy: string;
  let script: string;
  let env: NodeJS.ProcessEnv;
  const inFolder = (name: string): string => join(folder, name);

  beforeEach(() => {
    folder = privateFolder('apt');
    policy = inFolder('policy-rc.d');
    script = debianInstall(['prometheus', 'promtool'], { policy, lock: inFolder('lock') });
    env = { ...process.env, PATH: `${folder}:${process.env['PATH']}` };
    aptGet(`cat ${policy} >> ${inFolder('seen')}; echo "$@" >> ${inFolder('calls')}`);
  });

  afterEach(() => removePrivateFolder(folder));

  const aptGet = (body: string): void => {
    writeFileSync(inFolder('apt-get'), `#!/bin/sh\n${body}\n`);
    chmodSync(inFolder('apt-get'), 0o755);
  };
  /** An installation in the midst of apt-get: a signal to its group reaches all of it. */
  const begun = async (): Promise<ChildProcess> => {
    aptGet(`touch ${inFolder('begun')}; exec sleep 600`);
    const running = spawn('bash', ['-c', script], { env, detached: true });
    await eventually(() => existsSync(inFolder('begun')));
    return running;
  };
  const install = (): Promise<unknown> => promisify(execFile)('bash', ['-c', script], { env });

  test('forbids services to start meanwhile, and no longer', async () => {
    await install();
    expect(readFileSync(inFolder('seen'), 'utf8')).toContain('exit 101');
    expect(readFileSync(inFolder('calls'), 'utf8')).toMatch(
      /^-y --no-install-recommends .*install prometheus promtool\n$/,
    );
    expect(existsSync(policy)).toBe(false);
  });

  test('puts the machine’s own policy back', async () => {
    writeFileSync(policy, 'its own');
    await install();
    expect(readFileSync(policy, 'utf8')).toBe('its own');
  });

  test('puts it back also when it is told to end', async () => {
    writeFileSync(policy, 'its own');
    const running = await begun();
    expect(readFileSync(policy, 'utf8')).toContain('exit 101');
    process.kill(-(running.pid as number), 'SIGTERM');
    await once(running, 'exit');
    expect(readFileSync(policy, 'utf8')).toBe('its own');
  });

  test('recognises what a killed run left, and still puts the machine’s own policy back', async () => {
    writeFileSync(policy, 'its own');
    const running = await begun();
    expect(readFileSync(policy, 'utf8')).toContain('exit 101');
    process.kill(-(running.pid as number), 'SIGKILL');
    await once(running, 'exit');
    aptGet('exit 0');
    await install();
    expect(readFileSync(policy, 'utf8')).toBe('its own');
  });

  test('asks for fresh package lists when it fails, and tries again', async () => {
    aptGet(
      `echo "$@" >> ${inFolder('calls')}; case "$*" in *update*) touch ${inFolder('fresh')};; esac; test -e ${inFolder('fresh')}`,
    );
    await install();
    const calls = readFileSync(inFolder('calls'), 'utf8').trim().split('\n');
    expect(calls.map((call) => /\b(install|update)\b/.exec(call)?.[0])).toEqual(['install', 'update', 'install']);
  });

  test('fails when apt-get fails', async () => {
    aptGet('echo "E: Unable to locate package" >&2; exit 100');
    await expect(install()).rejects.toMatchObject({ code: 100 });
    expect(existsSync(policy)).toBe(false);
  });
});
