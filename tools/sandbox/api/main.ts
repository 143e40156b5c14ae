/**
 * The sandbox's API server: `node --conditions=keelson-source main.ts --kubeconfig-out FILE [--port N]`.
 * Prints `{"ready":true,"url":"..."}` once it serves; SIGTERM and SIGINT end it.
 */
import { parseArgs } from 'node:util';

import { bootstrap } from './bootstrap.ts';
import { startControllers } from './controllers/controllers.ts';
import { parseDuration } from './duration.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { Server } from './server.ts';

const { values } = parseArgs({
  options: {
    'kubeconfig-out': { type: 'string' },
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '0' },
    'event-ttl': { type: 'string', default: '1h' },
    'bookmark-interval': { type: 'string', default: '10s' },
    'watch-window': { type: 'string', default: '2000' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help || !values['kubeconfig-out']) {
  console.error(`usage: main.ts --kubeconfig-out FILE [options]
A Kubernetes API in memory, for demonstrations and tests; never for production.
  --host ADDRESS           where to listen (127.0.0.1)
  --port N                 0 chooses a free one (0)
  --event-ttl DURATION     how long Events are kept (1h)
  --bookmark-interval D    how often watches get a bookmark (10s)
  --watch-window N         changes kept per resource for watches that resume (2000)`);
  process.exit(values.help ? 0 : 2);
}

const log = (text: string): void => console.error(text);
const server = new Server({
  host: values.host,
  port: Number(values.port),
  bookmarkMs: parseDuration(values['bookmark-interval']),
  window: Number(values['watch-window']),
  log,
});
const stop = startControllers(server.cluster, { eventTtlMs: parseDuration(values['event-ttl']), log });
bootstrap(server.cluster);
await server.listen();
writeKubeconfig(values['kubeconfig-out'], {
  url: server.url,
  certificate: server.certificate,
  token: server.adminToken,
});
console.log(JSON.stringify({ ready: true, url: server.url, kubeconfig: values['kubeconfig-out'] }));

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    stop();
    void server.close().then(() => process.exit(0));
  });
}
