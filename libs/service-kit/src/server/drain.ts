import type { FastifyInstance, FastifyRequest } from 'fastify';

/** A request on its way, and where it stands in the list. */
interface Entry {
  readonly request: FastifyRequest;
  readonly since: number;
  place: number;
}

/** Counts what is in flight, so that a shutdown can wait for it and name what it gave up. */
export class InFlight {
  // Not a Map: it grows into a new table every few requests, and V8 leaves what was in flight then in each old one, all
  // of them linked, until the next full collection.
  readonly #requests: Entry[] = [];
  #draining = false;
  #idle: (() => void) | undefined;

  constructor(server: FastifyInstance) {
    server.addHook('onRequest', (request, reply, done) => {
      const entry: Entry = { request, since: performance.now(), place: this.#requests.length };
      this.#requests.push(entry);
      if (this.#draining) reply.header('connection', 'close');
      // Not onResponse: that never comes for an answer which is cut off or taken over.
      reply.raw.once('close', () => {
        this.#remove(entry);
        if (this.#requests.length === 0) this.#idle?.();
      });
      done();
    });
    server.addHook('onSend', (_request, reply, _payload, done) => {
      if (this.#draining) reply.header('connection', 'close');
      done();
    });
  }

  beginDrain(): void {
    this.#draining = true;
  }

  /** Resolves when nothing is in flight any more; after `limitMs` with what still is. */
  async finished(limitMs: number): Promise<readonly string[]> {
    if (this.#requests.length > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, limitMs);
        this.#idle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.#requests.map(({ request, since }) => {
      const route = request.routeOptions.url ?? 'unknown path';
      return `${request.method} ${route} after ${Math.round(performance.now() - since)} ms`;
    });
  }

  /** The last one takes its place. */
  #remove(entry: Entry): void {
    const last = this.#requests.pop()!;
    if (last === entry) return;
    this.#requests[entry.place] = last;
    last.place = entry.place;
  }
}
