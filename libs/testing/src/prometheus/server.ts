import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { privateFolder, removePrivateFolder } from '../folders/private-folder.ts';
import { freePort } from '../network/free-port.ts';
import { onPath } from '../packages/parts.ts';
import { startProcess } from '../processes/managed-process.ts';
import { PartError } from '../processes/part-error.ts';

export interface PrometheusOptions {
  /** The text of prometheus.yml. A rule file of it is named relative to the folder: `rules.yml` for `rules` below. */
  config: string;
  /** The text of rules.yml. */
  rules?: string;
  /** Kept and used again. Default: a temporary one that stop() removes. */
  dataDir?: string;
  port?: number;
  onLog?: (line: string) => void;
}

export interface Prometheus {
  readonly url: string;
  readonly pid: number;
  /** Where prometheus.yml lies, for promtool. */
  readonly configFile: string;
  /** Reads its configuration again, a new one where given. Throws with its reason if it refuses it. */
  reload(config?: string): Promise<void>;
  lastLines(count?: number): string[];
  stop(): Promise<void>;
}

/** Starts Debian's Prometheus on a free port of 127.0.0.1. It dies with this process. */
export async function startPrometheus(options: PrometheusOptions): Promise<Prometheus> {
  const program = onPath('prometheus');
  if (program === undefined) {
    throw new PartError('Prometheus', 'it is not installed', {
      remedy: 'apt-get install prometheus, or set PROMETHEUS_URL to one of your own',
    });
  }
  const base = privateFolder('prometheus');
  const port = options.port ?? (await freePort());
  const url = `http://127.0.0.1:${port}`;
  const configFile = join(base, 'prometheus.yml');
  const dataDir = options.dataDir ?? join(base, 'data');
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(configFile, options.config);
  if (options.rules !== undefined) writeFileSync(join(base, 'rules.yml'), options.rules);
  const server = await startProcess({
    name: 'Prometheus',
    command: [
      program,
      `--config.file=${configFile}`,
      `--storage.tsdb.path=${dataDir}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--storage.tsdb.retention.time=1d',
      '--web.enable-lifecycle',
      // Else the first firing may be lost for 30 s to an Alertmanager that is found a moment later.
      '--rules.alert.resend-delay=1s',
      '--log.level=warn',
    ],
    cwd: base,
    timeoutMs: 60_000,
    ready: { url: `${url}/-/ready` },
    remedy: `see its last lines; check the configuration with: promtool check config ${configFile}`,
    ...(options.onLog === undefined ? {} : { onLine: options.onLog }),
  });
  return {
    url,
    configFile,
    pid: server.pid,
    lastLines: (count) => server.lastLines(count),
    reload: async (config) => {
      if (config !== undefined) writeFileSync(configFile, config);
      const response = await fetch(`${url}/-/reload`, { method: 'POST', signal: AbortSignal.timeout(10_000) });
      const text = await response.text();
      if (!response.ok) throw new PartError('Prometheus', `it refused its configuration: ${text.trim()}`);
    },
    stop: async () => {
      // A kept database wants its head block closed; a temporary one is thrown away.
      await server.stop(options.dataDir === undefined ? 1_000 : 15_000);
      removePrivateFolder(base);
    },
  };
}
