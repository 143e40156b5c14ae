import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { privateFolder, removePrivateFolder } from '@keelson/testing';
import { configSchema } from '../src/server/config.ts';
import { type RunningConsole, startConsole } from '../src/server/start-console.ts';
import { SERVICE_KEYS, type ServiceKey } from '../src/services.ts';
import { Upstream } from './upstream.ts';

export interface Stage {
  readonly url: string;
  readonly upstreams: Readonly<Record<ServiceKey, Upstream>>;
  readonly console: RunningConsole;
  /** Calls the console as the page does. */
  call(path: string, init?: RequestInit): Promise<Response>;
  stop(): Promise<void>;
}

export const SCRIPT = 'export const page = "the page";\n';

/** A built page: a document, a script with its compressed twin, a picture. */
function makePage(): string {
  const folder = privateFolder('console-page');
  mkdirSync(join(folder, 'assets'));
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>Keelson</title>');
  writeFileSync(join(folder, 'icon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
  writeFileSync(join(folder, 'assets/index-abc.js'), SCRIPT);
  writeFileSync(join(folder, 'assets/index-abc.js.br'), brotliCompressSync(SCRIPT));
  return folder;
}

/** The console's server over four upstreams, all of the test's own. */
export async function stage(settings: Record<string, unknown> = {}): Promise<Stage> {
  const page = makePage();
  const started = await Promise.all(SERVICE_KEYS.map(async (key) => [key, await Upstream.start()] as const));
  const upstreams = Object.fromEntries(started) as Record<ServiceKey, Upstream>;
  const config = configSchema.parse({
    CERT_URL: upstreams.certificates.url,
    EVENTS_URL: upstreams.events.url,
    CANARY_URL: upstreams.canaries.url,
    ORDERS_URL: upstreams.orders.url,
    RATE_LIMIT_PER_SECOND: 0,
    ...settings,
  });
  const running = await startConsole({ config, version: '0.0.0', page });
  return {
    url: running.url,
    upstreams,
    console: running,
    call: (path, init) => fetch(`${running.url}${path}`, { redirect: 'manual', ...init }),
    stop: async () => {
      await running.close();
      await Promise.all(started.map(([, upstream]) => upstream.stop()));
      removePrivateFolder(page);
    },
  };
}
