// Runs in a process of its own. Sends orders at a fixed rate, whatever becomes of those before (open model), and counts
// each latency from when the order was due, so that a service that stalls is not asked less (no coordinated omission).
// `keelson orders load` does the same for people; its HTTP client takes as much of the processor as the service that is
// measured beside it on the same two, so this one writes to its sockets itself. Prints its result as the last line, JSON.
import { build } from 'hdr-histogram-js';
import { connect, type Socket } from 'node:net';

const { hostname, port } = new URL(process.env['BENCH_URL']!);
const rate = Number(process.env['BENCH_RATE']);
const seconds = Number(process.env['BENCH_SECONDS']);
const skus = JSON.parse(process.env['BENCH_SKUS']!) as string[];
const run = `open-${process.pid}-${Date.now()}`;
const head = [
  'POST /v1/orders HTTP/1.1',
  `host: ${hostname}:${port}`,
  `authorization: Bearer ${process.env['BENCH_TOKEN']}`,
  'content-type: application/json',
].join('\r\n');

/** Before this process is warm and has its connections it is late itself: that is none of the service's latency. */
const WARM_UP_SECONDS = 2;
const unmeasured = Math.round(rate * WARM_UP_SECONDS);
const total = unmeasured + Math.round(rate * seconds);
const latency = build({
  lowestDiscernibleValue: 1,
  highestTrackableValue: 120_000_000,
  numberOfSignificantValueDigits: 3,
});
const statuses = new Map<number, number>();
const idle: Customer[] = [];
/** Numbers of orders that are due and found no idle connection. */
const due: number[] = [];
let sent = 0;
let answered = 0;
let done: () => void = () => undefined;
const all = new Promise<void>((resolve) => (done = resolve));
const begun = performance.now();

/** One connection, one order at a time. */
class Customer {
  readonly #socket: Socket;
  #order = 0;
  #answer: Buffer = Buffer.alloc(0);

  constructor() {
    this.#socket = connect({ host: hostname, port: Number(port), noDelay: true });
    this.#socket.on('data', (data) => this.#hears(data));
    // The service closes what is idle for long, perhaps just as an order is sent: it goes again under its key.
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => {
      const place = idle.indexOf(this);
      if (place >= 0) idle.splice(place, 1);
      else new Customer().send(this.#order);
    });
  }

  send(order: number): void {
    this.#order = order;
    const body = `{"customer":"load-${order % 1000}","phone":"+4915${10_000_000 + order}","lines":[{"sku":"${skus[order % skus.length]}","quantity":1}]}`;
    this.#socket.write(
      `${head}\r\nidempotency-key: ${run}-${order}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      'latin1',
    );
  }

  #hears(data: Buffer): void {
    const answer = this.#answer.length === 0 ? data : Buffer.concat([this.#answer, data]);
    const end = answer.indexOf('\r\n\r\n');
    const length = end < 0 ? undefined : /\r\ncontent-length: (\d+)/i.exec(answer.toString('latin1', 0, end))?.[1];
    this.#answer = answer;
    if (length === undefined || answer.length < end + 4 + Number(length)) return;
    this.#answer = Buffer.alloc(0);
    const status = Number(answer.toString('latin1', 9, 12));
    if (this.#order >= unmeasured) {
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      const dueAt = (this.#order * 1_000) / rate;
      latency.recordValue(Math.round((performance.now() - begun - dueAt) * 1_000));
    }
    answered += 1;
    if (answered === total) return done();
    const next = due.shift();
    if (next === undefined) idle.push(this);
    else this.send(next);
  }
}

const ticks = setInterval(() => {
  const until = Math.min(total, Math.floor(((performance.now() - begun) * rate) / 1_000));
  for (; sent < until; sent += 1) {
    const customer = idle.pop();
    if (customer !== undefined) customer.send(sent);
    else if (connections < 2_000) {
      connections += 1;
      new Customer().send(sent);
    } else due.push(sent);
  }
  if (sent === total) clearInterval(ticks);
}, 1);
let connections = 0;
await all;
const of = (first: number): number =>
  [...statuses].reduce((sum, [status, count]) => sum + (Math.floor(status / 100) === first ? count : 0), 0);
const ms = (percentile: number): number => latency.getValueAtPercentile(percentile) / 1_000;
const latencyMs = { p50: ms(50), p99: ms(99), max: latency.maxValue / 1_000 };
process.stdout.write(
  `${JSON.stringify({ accepted: of(2), refused: statuses.get(429) ?? 0, other: total - unmeasured - of(2) - (statuses.get(429) ?? 0), latencyMs })}\n`,
);
process.exit(0);
