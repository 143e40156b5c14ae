// Imported before a program with --expose-gc: hangs 100 kB on each request and says after every fortieth how many of them
// a collection of the young generation left.
import http, { type IncomingMessage } from 'node:http';

const BYTES = 100_000;
const WARM_UP = 200;
const emit = http.Server.prototype.emit;
const collect = globalThis.gc!;
let requests = 0;
let before = 0;
const left: number[] = [];

http.Server.prototype.emit = function (name: string | symbol, ...rest: unknown[]): boolean {
  if (name === 'request') {
    (rest[0] as IncomingMessage & { ballast?: ArrayBuffer }).ballast = new ArrayBuffer(BYTES);
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
  }
  return emit.call(this, name, ...(rest as []));
};
