import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { privateFolder, removePrivateFolder } from '../folders/private-folder.ts';
import { freePort } from '../network/free-port.ts';
import { type ManagedProcess, startProcess } from '../processes/managed-process.ts';
import { processesIn } from '../processes/processes-in.ts';
import { eventually } from '../time/eventually.ts';
import { binaries } from './binaries.ts';
import { asAdministrator, createDatabase, type DatabaseOptions } from './databases.ts';
import { runAs } from './run-as.ts';
import { freshDataFolder, passwordOf } from './template.ts';

export interface PostgresOptions {
  /** Whether a commit survives a crash of the machine (fsync and its like). Default false: a test's data need not. */
  durable?: boolean;
  /** Kept and used again. Default: a temporary one that stop() removes. */
  dataDir?: string;
  port?: number;
  /** Default 200. */
  maxConnections?: number;
  onLog?: (line: string) => void;
  /** Further settings, as in postgresql.conf. */
  settings?: Record<string, string>;
}

export interface Postgres {
  /** URL of the database `postgres` as its superuser. */
  readonly adminUrl: string;
  readonly port: number;
  readonly pid: number;
  readonly version: string;
  /** Makes a database with a role of its own and returns its URL. */
  createDatabase(options: DatabaseOptions): Promise<string>;
  /** SIGKILL reaches each of its processes, as when the machine dies; any other signal the first one. */
  kill(signal: NodeJS.Signals): void;
  /** Starts it again on the same port and data; ends it first if it runs. */
  restart(): Promise<void>;
  lastLines(count?: number): string[];
  /** Ends it and, unless `dataDir` was given, removes its data. */
  stop(): Promise<void>;
}

/** Starts the real PostgreSQL 18 on 127.0.0.1, as root too. It dies with this process. */
export async function startPostgres(options: PostgresOptions = {}): Promise<Postgres> {
  const { durable = false, maxConnections = 200, onLog } = options;
  const programs = binaries();
  const base = privateFolder('postgres');
  const dataDir = options.dataDir ?? join(base, 'data');
  if (!existsSync(join(dataDir, 'PG_VERSION'))) await freshDataFolder(dataDir, programs, durable);
  runAs().own(base);
  const port = options.port ?? (await freePort());
  const password = passwordOf(dataDir);
  const adminUrl = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    // TCP only: a socket's path may have 107 bytes, and the temporary folder's may be longer.
    unix_socket_directories: '',
    max_connections: String(maxConnections),
    shared_buffers: durable ? '128MB' : '32MB',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // Files in the data folder instead of /dev/shm: nothing is left there after SIGKILL.
    dynamic_shared_memory_type: 'mmap',
    // 'worker' keeps three further processes.
    io_method: 'sync',
    // Without fsync a commit survives the death of the server, not that of the machine. synchronous_commit stays on:
    // without it kill -9 of the server loses commits that clients were told of, and tests kill it.
    ...(durable ? {} : { fsync: 'off', full_page_writes: 'off' }),
    ...options.settings,
  };
  const command = [
    programs.postgres,
    '-D',
    dataDir,
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
  let version = '';
  const start = (): Promise<ManagedProcess> =>
    startProcess({
      name: 'PostgreSQL',
      command,
      enter: runAs().enter,
      deathSignal: 'INT', // fast shutdown: its own children end with it
      env: { LC_ALL: 'C' },
      cwd: base,
      timeoutMs: 60_000,
      ready: { probe: async () => (version = await serverVersion(adminUrl)) !== '' },
      remedy: 'see its last lines; a data folder of another version or one in use by another server must be moved away',
      ...(onLog === undefined ? {} : { onLine: onLog }),
    });
  let server = await start();
  return {
    adminUrl,
    port,
    get pid() {
      return server.pid;
    },
    get version() {
      return version;
    },
    createDatabase: (database) => createDatabase(adminUrl, database),
    kill: (signal) => (signal === 'SIGKILL' ? killAll(server, dataDir) : server.kill(signal)),
    lastLines: (count) => server.lastLines(count),
    restart: async () => {
      await server.stop(10_000, 'SIGINT');
      await backendsEnd(dataDir);
      server = await start();
    },
    stop: async () => {
      await server.stop(10_000, 'SIGINT');
      removePrivateFolder(base);
    },
  };
}

/** Killed alone, the first process leaves the others to do what they are asked until they notice. */
function killAll(server: ManagedProcess, dataDir: string): void {
  const all = processesIn(realpathSync(dataDir));
  server.kill('SIGKILL');
  for (const pid of all) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Ended meanwhile.
    }
  }
}

/**
 * After a kill -9 the server's children end by themselves, but a new server must not open the data before they have.
 * PostgreSQL sees that by the shared memory they hold, which our private IPC namespaces hide from it.
 */
async function backendsEnd(dataDir: string): Promise<void> {
  await eventually(() => processesIn(realpathSync(dataDir)).length === 0, {
    describe: 'the processes of the killed PostgreSQL have ended',
  });
}

async function serverVersion(adminUrl: string): Promise<string> {
  return asAdministrator(adminUrl, async (client) => {
    const { rows } = await client.query<{ server_version: string }>('show server_version');
    return rows[0]?.server_version ?? '';
  });
}
