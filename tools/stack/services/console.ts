import { freePort } from '@keelson/testing';
import { join } from 'node:path';
import type { Platform } from '../platform.ts';
import { Supervised } from './supervised.ts';

/** Starts the console's server, which serves the page and passes its calls on to the four services. */
export async function startConsole(options: {
  root: string;
  listen: string;
  urls: Omit<Platform['urls'], 'console'>;
  caFile: string;
  report: (line: string) => void;
}): Promise<Supervised> {
  const port = await freePort();
  const host = options.listen;
  return Supervised.start(
    {
      name: 'console',
      command: [join(options.root, 'node_modules/.bin/node'), join(options.root, 'apps/console/dist/main.js')],
      env: {
        HOST: host,
        PORT: String(port),
        CERT_URL: options.urls.cert,
        EVENTS_URL: options.urls.events,
        CANARY_URL: options.urls.canary,
        ORDERS_URL: options.urls.orders,
        NODE_EXTRA_CA_CERTS: options.caFile,
      },
      ready: { line: /"msg":"listening"/, url: `http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${port}/healthz` },
    },
    options.report,
  );
}
