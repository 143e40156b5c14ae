import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheFolder } from '../packages/cache-folder.ts';
import { startProcess } from '../processes/managed-process.ts';
import { PartError } from '../processes/part-error.ts';

const pom = join(import.meta.dirname, '../../kafka-pom.xml');

/** The folder with Kafka's jars: fetched from Maven's repository the first time, then kept in the user's cache. */
export async function kafkaJars(): Promise<string> {
  const version = createHash('sha256').update(readFileSync(pom)).digest('hex').slice(0, 12);
  const folder = join(cacheFolder('kafka'), version);
  if (existsSync(folder)) return folder;
  const fresh = `${folder}.${process.pid}-${randomBytes(3).toString('hex')}`;
  const maven = await startProcess({
    name: 'Maven',
    command: ['mvn', '-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${fresh}`],
    cwd: dirname(pom),
  });
  const { code } = await maven.exited;
  if (code !== 0 || !existsSync(fresh) || readdirSync(fresh).length === 0) {
    rmSync(fresh, { recursive: true, force: true });
    throw new PartError('Kafka', `its jars could not be fetched (mvn ended with exit code ${code})`, {
      lines: maven.lastLines(),
      remedy: `is Maven's repository reachable? By hand: mvn -f ${pom} dependency:copy-dependencies`,
    });
  }
  try {
    renameSync(fresh, folder);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    if (!existsSync(folder)) throw error; // else a run beside this one was first
  }
  return folder;
}
