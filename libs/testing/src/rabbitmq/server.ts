import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { privateFolder, removePrivateFolder } from '../folders/private-folder.ts';
import { freePorts } from '../network/free-port.ts';
import { onPath, rabbitMqHome } from '../packages/parts.ts';
import { type ManagedProcess, startProcess } from '../processes/managed-process.ts';
import { PartError } from '../processes/part-error.ts';
import { eventually } from '../time/eventually.ts';
import { configureNode, type RabbitMqPorts } from './configuration.ts';
import { makeVhost, managementOf } from './management.ts';

export interface RabbitMqOptions {
  /** Kept and used again. Default: a temporary one that stop() removes. */
  dataDir?: string;
  ports?: Partial<RabbitMqPorts>;
  onLog?: (line: string) => void;
  /** Makes it a node of a cluster; see startRabbitMqCluster. */
  member?: ClusterMember;
}

/** What the nodes of a cluster have in common, and the name of one of them. */
export interface ClusterMember extends Kept {
  /** Names of all nodes. */
  peers: readonly string[];
  /** Of the port mapper that they share. */
  epmdPort: number;
}

export interface RabbitMq {
  /** AMQP URL of the virtual host `/`, with user and password. */
  readonly amqpUrl: string;
  /** With user and password. */
  readonly managementUrl: string;
  /** The page with its figures. */
  readonly prometheusUrl: string;
  readonly username: string;
  readonly password: string;
  readonly pid: number;
  readonly version: string;
  /** As queues name their leader: `keelson-...@localhost`. */
  readonly nodeName: string;
  createVhost(name?: string): Promise<{ amqpUrl: string; vhost: string }>;
  /**
   * A quorum queue that was declared less than about a second before SIGKILL has no leader afterwards, and stays so
   * (seen with 3.10.8: "leader call - leader not known"). See {@link queuesKept}.
   */
  kill(signal: NodeJS.Signals): void;
  /** Resolves when the management API counts the messages of every queue: only then each is safe from SIGKILL. */
  queuesKept(): Promise<void>;
  /** Starts it again on the same ports and data; ends it first if it runs. */
  restart(): Promise<void>;
  /** Resolves when an alarm of this node, memory or disk, is on (`true`), or none is; it is looked at every 5 s. */
  alarmIs(on: boolean): Promise<void>;
  /** Runs rabbitmqctl against it and returns what it printed. */
  rabbitmqctl(args: string[]): Promise<string>;
  lastLines(count?: number): string[];
  /** Ends it and, unless `dataDir` was given, removes its data. */
  stop(): Promise<void>;
}

/** What must stay the same when a kept data folder is used again: the node's name is in its data. */
export interface Kept {
  nodeName: string;
  cookie: string;
  password: string;
}

const username = 'keelson';

/** Starts Debian's RabbitMQ as a private node with the management and prometheus plugins. It dies with this process. */
export async function startRabbitMq(options: RabbitMqOptions = {}): Promise<RabbitMq> {
  const home = rabbitMqHome();
  const epmdProgram = onPath('epmd');
  if (home === undefined || epmdProgram === undefined) {
    throw new PartError('RabbitMQ', 'it is not installed', {
      remedy: 'apt-get install rabbitmq-server, or set AMQP_URL (tests: KEELSON_TEST_RABBITMQ_URL) to one of your own',
    });
  }
  const base = privateFolder('rabbitmq');
  const folder = options.dataDir ?? join(base, 'node');
  const [amqp, management, prometheus, distribution, epmdPort] = (await freePorts(5)) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const { member } = options;
  const epmdOf = member?.epmdPort ?? epmdPort;
  const ports = { amqp, management, prometheus, distribution, epmd: epmdOf, ...options.ports };
  const kept: Kept = member ?? keptIn(folder);
  const peers = member?.peers ?? [];
  const env = configureNode({ folder, username, ports, ...kept, peers });
  writeFileSync(join(folder, 'keelson.json'), JSON.stringify(kept), { mode: 0o600 });
  const credentials = `${username}:${kept.password}`;
  const managementUrl = `http://${credentials}@127.0.0.1:${ports.management}`;
  const api = managementOf(managementUrl);

  const epmd = member === undefined ? await startEpmd(epmdProgram, ports.epmd, base) : undefined;
  const start = (): Promise<ManagedProcess> =>
    startProcess({
      name: 'RabbitMQ',
      command: [join(home, 'sbin/rabbitmq-server'), '-noinput'],
      env: { ...withoutRabbitVariables(), ...env },
      cwd: base,
      timeoutMs: 90_000,
      ready: { probe: async () => (await speaksAmqp(ports.amqp)) && (await listsItself(api)) },
      remedy: 'see its last lines; where memory or disk is short, free some, or set AMQP_URL to one of your own',
      ...(options.onLog === undefined ? {} : { onLine: options.onLog }),
    });
  let server: ManagedProcess;
  try {
    server = await start();
  } catch (error) {
    await epmd?.stop(0);
    removePrivateFolder(base);
    throw error;
  }
  const version = ((await api('/api/overview')) as { rabbitmq_version: string }).rabbitmq_version;
  const amqpUrl = `amqp://${credentials}@127.0.0.1:${ports.amqp}`;
  // The management plugin holds a polite stop up for 5 s, and data that is thrown away needs none.
  const graceMs = options.dataDir === undefined ? 0 : 15_000;
  return {
    amqpUrl,
    managementUrl,
    prometheusUrl: `http://127.0.0.1:${ports.prometheus}/metrics`,
    username,
    password: kept.password,
    version,
    nodeName: kept.nodeName,
    get pid() {
      return server.pid;
    },
    createVhost: async (vhost = `v-${randomBytes(6).toString('hex')}`) => {
      await makeVhost(api, vhost, username);
      return { vhost, amqpUrl: `${amqpUrl}/${encodeURIComponent(vhost)}` };
    },
    kill: (signal) => server.kill(signal),
    queuesKept: async () => {
      const counted = async (): Promise<boolean> =>
        ((await api('/api/queues')) as { messages?: number }[]).every(({ messages }) => messages !== undefined);
      await eventually(counted, { withinMs: 60_000, describe: 'RabbitMQ counts the messages of every queue' });
    },
    alarmIs: async (on) => {
      type Alarms = { mem_alarm?: boolean; disk_free_alarm?: boolean };
      const asked = async (): Promise<boolean> => {
        const node = (await api(`/api/nodes/${encodeURIComponent(kept.nodeName)}`)) as Alarms;
        return (node.mem_alarm === true || node.disk_free_alarm === true) === on;
      };
      await eventually(asked, { everyMs: 100, describe: `${on ? 'an' : 'no'} alarm of ${kept.nodeName}` });
    },
    lastLines: (count) => server.lastLines(count),
    restart: async () => {
      await server.stop(15_000);
      server = await start();
    },
    rabbitmqctl: async (args) => {
      const { stdout } = await promisify(execFile)(join(home, 'sbin/rabbitmqctl'), args, {
        env: { ...withoutRabbitVariables(), ...env },
        timeout: 60_000,
      });
      return stdout;
    },
    stop: async () => {
      await server.stop(graceMs);
      await epmd?.stop(1_000);
      removePrivateFolder(base);
    },
  };
}

/** Erlang's port mapper, in the foreground, so that it ends with us. */
export function startEpmd(program: string, port: number, folder: string): Promise<ManagedProcess> {
  return startProcess({
    name: 'epmd',
    command: [program, '-port', String(port), '-address', '127.0.0.1'],
    env: { ...withoutRabbitVariables(), ERL_EPMD_PORT: String(port), ERL_EPMD_ADDRESS: '127.0.0.1' },
    cwd: folder,
    ready: { probe: () => connects(port) },
  });
}

function keptIn(folder: string): Kept {
  const file = join(folder, 'keelson.json');
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Kept;
  const random = (): string => randomBytes(12).toString('hex');
  return { nodeName: `keelson-${random()}@localhost`, cookie: random(), password: random() };
}

function withoutRabbitVariables(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(RABBITMQ_|ERL_)/.test(name)));
}

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** Sends the protocol header of AMQP 0-9-1; a broker that is up answers with a method frame (type 1). */
function speaksAmqp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.from('AMQP\0\0\x09\x01', 'latin1')));
    const answer = (up: boolean): void => {
      socket.destroy();
      resolve(up);
    };
    socket.once('data', (data) => answer(data[0] === 1));
    socket.once('error', () => answer(false));
    socket.setTimeout(2_000, () => answer(false));
  });
}

async function listsItself(api: ReturnType<typeof managementOf>): Promise<boolean> {
  const nodes = (await api('/api/nodes')) as { running: boolean }[];
  return nodes.length > 0 && nodes.every(({ running }) => running);
}
