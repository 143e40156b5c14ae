import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { privateFolder, removePrivateFolder } from '../folders/private-folder.ts';
import { freePorts } from '../network/free-port.ts';
import { ensurePart } from '../packages/ensure-part.ts';
import { type ManagedProcess, startProcess } from '../processes/managed-process.ts';
import { kafkaJars } from './artifacts.ts';
import { logConfiguration, serverProperties } from './configuration.ts';

export interface Kafka {
  /** `host:port` of each broker. */
  readonly brokers: string[];
  readonly pid: number;
  kill(signal: NodeJS.Signals): void;
  /** Starts it again on the same ports and data; ends it first if it runs. */
  restart(): Promise<void>;
  lastLines(count?: number): string[];
  stop(): Promise<void>;
}

/** Starts one real Kafka 4 broker (KRaft: its own controller) on 127.0.0.1. It dies with this process. */
export async function startKafka(options: { onLog?: (line: string) => void } = {}): Promise<Kafka> {
  await ensurePart('kafka', { report: options.onLog });
  const jars = await kafkaJars();
  const base = privateFolder('kafka');
  const [port, controllerPort] = (await freePorts(2)) as [number, number];
  const properties = join(base, 'server.properties');
  writeFileSync(properties, serverProperties({ port, controllerPort, dataDir: join(base, 'data') }));
  writeFileSync(join(base, 'log4j2.xml'), logConfiguration);
  const java = [
    'java',
    '-Xms64m',
    '-Xmx256m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    // No file in the system's temporary folder for jps and its like.
    '-XX:-UsePerfData',
    `-Djava.io.tmpdir=${base}`,
    `-Dlog4j2.configurationFile=${join(base, 'log4j2.xml')}`,
    '-cp',
    `${jars}/*`,
  ];
  const format = ['kafka.tools.StorageTool', 'format', '-t', clusterId(), '-c', properties];
  await promisify(execFile)(java[0] as string, [...java.slice(1), ...format], { cwd: base });
  const start = (): Promise<ManagedProcess> =>
    startProcess({
      name: 'Kafka',
      command: [...java, 'kafka.Kafka', properties],
      cwd: base,
      timeoutMs: 60_000,
      ready: { probe: () => answersVersions(port) },
      remedy: 'see its last lines; it needs Java 17 or newer and 256 MB of memory',
      ...(options.onLog === undefined ? {} : { onLine: options.onLog }),
    });
  let server = await start();
  return {
    brokers: [`127.0.0.1:${port}`],
    get pid() {
      return server.pid;
    },
    kill: (signal) => server.kill(signal),
    lastLines: (count) => server.lastLines(count),
    restart: async () => {
      await server.stop(5_000);
      server = await start();
    },
    stop: async () => {
      await server.stop(0); // its data are thrown away
      removePrivateFolder(base);
    },
  };
}

/** 16 random bytes in base64url; one that begins with '-' is taken for an option by StorageTool. */
function clusterId(): string {
  for (;;) {
    const id = randomBytes(16).toString('base64url');
    if (!id.startsWith('-')) return id;
  }
}

/** Sends ApiVersions (key 18, version 0; Kafka protocol guide) and takes any answer as a sign of life. */
function answersVersions(port: number): Promise<boolean> {
  const clientId = Buffer.from('k');
  const request = Buffer.alloc(14 + clientId.length);
  request.writeInt32BE(request.length - 4, 0);
  request.writeInt16BE(18, 4);
  request.writeInt16BE(0, 6);
  request.writeInt32BE(1, 8);
  request.writeInt16BE(clientId.length, 12);
  clientId.copy(request, 14);
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(request));
    const answer = (up: boolean): void => {
      socket.destroy();
      resolve(up);
    };
    socket.once('data', () => answer(true));
    socket.once('error', () => answer(false));
    socket.setTimeout(1_000, () => answer(false));
  });
}
