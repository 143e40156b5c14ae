import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { loadConfig, startService, type Clock } from '@keelson/service-kit';
import { startProcess, type ManagedProcess } from '@keelson/testing';
import { definition, partsOf } from '../../src/service.ts';
import { workspace, type Place } from './place.ts';

export interface ControllerOptions {
  readonly databaseUrl: string;
  readonly amqpUrl: string;
  /** Where the Lease lies; replicas of one controller share it. */
  readonly leaseNamespace: string;
  readonly env?: Readonly<Record<string, string>>;
}

const environment = (place: Place, options: ControllerOptions): Record<string, string> => ({
  DATABASE_URL: options.databaseUrl,
  AMQP_URL: options.amqpUrl,
  KUBECONFIG: place.cluster.kubeconfig,
  PROMETHEUS_URL: place.prometheusUrl,
  EVENTS_URL: place.eventsUrl,
  SERVICE_TOKEN: 'canary-controller-token',
  TOKENS_FILE: place.tokensFile,
  LEASE_NAMESPACE: options.leaseNamespace,
  POD_NAME: `controller-${randomBytes(4).toString('hex')}`,
  RATE_LIMIT_PER_SECOND: '0',
  LOG_LEVEL: process.env['KEELSON_TEST_LOG_LEVEL'] ?? 'silent',
  ...options.env,
});

/** The whole service in this process; resolves when it listens, which it does before it leads. */
export async function controllerHere(
  place: Place,
  options: ControllerOptions & { clock?: Clock },
): Promise<{ url: string; stop(): Promise<void> }> {
  const config = loadConfig(definition.config, environment(place, options));
  const { name, version, api } = definition;
  const running = await startService({ name, version, api, config, ...(await partsOf(config, options.clock)) });
  return { url: running.url, stop: async () => void (await running.close()) };
}

/** The service as a process of its own, which a test may kill; resolves when it has listed the Canaries. */
export async function controllerProcess(
  place: Place,
  options: ControllerOptions,
): Promise<ManagedProcess & { url: string }> {
  const readyFile = place.file(`controller-${randomBytes(4).toString('hex')}.json`);
  const started = await startProcess({
    name: 'canary-controller',
    command: [process.execPath, join(workspace, 'apps/canary-controller/dist/main.js')],
    env: { NODE_OPTIONS: undefined, ...environment(place, options), READY_FILE: readyFile },
    ready: { file: readyFile },
    timeoutMs: 120_000,
  });
  // The ready file holds its address.
  return started as ManagedProcess & { url: string };
}
