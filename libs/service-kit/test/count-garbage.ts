// Imported before a program with --expose-gc: hangs 100 kB on each request and says after every fortieth how many of them
// a collection of the young generation left.
import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';

const BYTES = 100_000;
const WARM_UP = 200;
const collect = globalThis.gc!;
let requests = 0;
let before = 0;
const left: number[] = [];

subscribe('http.server.request.start', (message) => {
  const { request } = message as { request: IncomingMessage & { ballast?: ArrayBuffer } };
  request.ballast = new ArrayBuffer(BYTES);
  requests += 1;
  if (requests === WARM_UP) {
    collect();
    collect();
    before = process.memoryUsage().arrayBuffers;
  } else if (requests > WARM_UP && requests % 40 === 0) {
    collect({ type: 'minor' });
    left.push(Math.round((process.memoryUsage().arrayBuffers - before) / BYTES));
    process.stdout.write(`${JSON.stringify({ msg: 'left', left })}\n`);
  }
});
