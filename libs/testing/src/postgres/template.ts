import { execFile, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { privateFolder, removePrivateFolder } from '../folders/private-folder.ts';
import { cacheFolder } from '../packages/cache-folder.ts';
import { PartError } from '../processes/part-error.ts';
import { type Binaries } from './binaries.ts';
import { runAs } from './run-as.ts';

/** Lies in each data folder: the password of the role `postgres` (mode 0600; PostgreSQL ignores files it does not know). */
const passwordFile = 'keelson-password';

/** Changes with the way a template is made, so that one made by an older version is not taken. */
const templateVersion = 2;

/**
 * Fills `dataDir` with a fresh cluster, by copying one that initdb made earlier: 0.1 s instead of 1 s. WAL segments
 * are 1 MB where nothing must last (31 MB in all), else PostgreSQL's own 16 MB.
 */
export async function freshDataFolder(
  dataDir: string,
  { initdb, postgres }: Binaries,
  durable: boolean,
): Promise<void> {
  const segment = durable ? 16 : 1;
  const version = execFileSync(postgres, ['--version'], { encoding: 'utf8' }).trim().split(' ').at(-1);
  const template = join(cacheFolder('postgres'), `${version}-${process.arch}-wal${segment}-${templateVersion}`);
  if (!existsSync(join(template, passwordFile))) await makeTemplate(template, initdb, segment);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  await promisify(execFile)('cp', ['-a', '--reflink=auto', `${template}/.`, dataDir]);
  runAs().own(dataDir);
}

/** The password of role `postgres` in a data folder that `freshDataFolder` made. */
export function passwordOf(dataDir: string): string {
  return readFileSync(join(dataDir, passwordFile), 'utf8');
}

async function makeTemplate(template: string, initdb: string, segment: number): Promise<void> {
  const work = privateFolder('initdb');
  const password = randomBytes(16).toString('hex');
  const [data, secret] = [join(work, 'data'), join(work, 'password')];
  mkdirSync(data, { mode: 0o700 });
  writeFileSync(secret, `${password}\n`, { mode: 0o600 });
  const as = runAs();
  as.own(work);
  const options = ['-D', data, '-U', 'postgres', '--pwfile', secret, '-A', 'scram-sha-256', '-E', 'UTF8', '--locale=C'];
  const command = [...as.enter, initdb, ...options, '--no-sync', `--wal-segsize=${segment}`];
  try {
    await promisify(execFile)(command[0] as string, command.slice(1));
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    const lines = `${stdout ?? ''}${stderr ?? ''}`.trim().split('\n');
    throw new PartError('PostgreSQL', 'initdb failed', { lines, cause: error, remedy: 'see its last lines above' });
  }
  writeFileSync(join(data, passwordFile), password, { mode: 0o600 });
  // Beside the target first, so that the rename is atomic though the cache may be on another disk.
  const copy = `${template}.${process.pid}-${randomBytes(3).toString('hex')}`;
  await promisify(execFile)('cp', ['-a', data, copy]);
  try {
    renameSync(copy, template);
  } catch (error) {
    rmSync(copy, { recursive: true, force: true });
    if (!existsSync(join(template, passwordFile))) throw error; // else a run beside this one was first
  }
  removePrivateFolder(work);
}
