import type { FastifyInstance, FastifyRequest } from 'fastify';

/** Counts what is in flight, so that a shutdown can wait for it and name what it gave up. */
export class InFlight {
  readonly #requests = new Map<FastifyRequest, number>();
  #draining = false;
  #idle: (() => void) | undefined;

  constructor(server: FastifyInstance) {
    server.addHook('onRequest', (request, reply, done) => {
      this.#requests.set(request, performance.now());
      if (this.#draining) reply.header('connection', 'close');
      // Not onResponse: that never comes for an answer which is cut off or taken over.
      reply.raw.once('close', () => {
        this.#requests.delete(request);
        if (this.#requests.size === 0) this.#idle?.();
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
    if (this.#requests.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, limitMs);
        this.#idle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return [...this.#requests].map(([request, since]) => {
      const route = request.routeOptions.url ?? 'unknown path';
      return `${request.method} ${route} after ${Math.round(performance.now() - since)} ms`;
    });
  }
}
