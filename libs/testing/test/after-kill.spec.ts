import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  eventually,
  type ManagedProcess,
  privateFolder,
  removePrivateFolder,
  startProcess,
  sweepLeftovers,
} from '@keelson/testing';

/** A program that starts every part, tells their pids, and waits to be killed. */
const starter = (index: string): string => `
  import { startPostgres, startRabbitMq, startPrometheus, startProcess } from ${JSON.stringify(index)};
  const [postgres, rabbitMq, prometheus, child] = await Promise.all([
    startPostgres(), startRabbitMq(), startPrometheus({ config: 'global: {}' }),
    startProcess({ name: 'child', command: ['sleep', '600'] }),
  ]);
  console.log(JSON.stringify({ pids: [postgres.pid, rabbitMq.pid, prometheus.pid, child.pid] }));
`;

describe('a starter that is killed with SIGKILL', () => {
  let run: ManagedProcess;
  let folder: string;
  let environment: Record<string, string>;

  beforeAll(() => {
    folder = privateFolder('after-kill');
    environment = { TMPDIR: folder };
  });

  afterAll(() => removePrivateFolder(folder));

  test('leaves no process alive, and the next start sweeps its folders', async () => {
    run = await startProcess({
      name: 'starter',
      command: [
        process.execPath,
        '--input-type=module-typescript',
        '--disable-warning=ExperimentalWarning',
        '-e',
        starter(join(import.meta.dirname, '../src/index.ts')),
      ],
      env: { ...environment, NODE_OPTIONS: undefined },
      ready: { line: /"pids"/ },
    });
    const { pids } = JSON.parse(run.lastLines(1)[0] ?? '{}') as { pids: number[] };
    expect(pids.every(alive)).toBe(true);

    run.kill('SIGKILL');
    await run.exited;
    await eventually(() => pids.every((pid) => !alive(pid)), { describe: `the parts ${pids.join(', ')} have ended` });
    await eventually(() => ownedBy(run.pid).length === 0, { describe: 'nothing that they started is left' });

    const left = readdirSync(folder).filter((name) => name.startsWith('keelson-'));
    expect(left.length).toBeGreaterThanOrEqual(3);
    const swept = sweepLeftovers(folder);
    expect(swept.folders).toHaveLength(left.length);
    expect(left.some((name) => existsSync(join(folder, name)))).toBe(false);
  });
});

function alive(pid: number): boolean {
  try {
    return !/^State:\t[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Whatever carries the starter's name in its environment, which all its descendants inherit. */
function ownedBy(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((candidate) => {
      try {
        return (
          alive(candidate) &&
          new RegExp(`KEELSON_OWNER=\\d+-${pid}-`).test(readFileSync(`/proc/${candidate}/environ`, 'utf8'))
        );
      } catch {
        return false;
      }
    });
}
