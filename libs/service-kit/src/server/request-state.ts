import type { FastifyRequest } from 'fastify';

/** One thing that the kit knows of a request. */
export interface RequestState<T> {
  of(request: FastifyRequest): T | undefined;
  set(request: FastifyRequest, value: T): void;
}

/**
 * Keeps something of each request, on the request itself. Not in a WeakMap: V8's collector of the young generation takes
 * the values of one for alive, and where a value leads back to its request, all of that (14 KB an order) is copied at each
 * collection and stays until the next full one.
 */
export function requestState<T>(name: string): RequestState<T> {
  const key = Symbol(name);
  const stateOf = (request: FastifyRequest) => request as unknown as Record<symbol, T | undefined>;
  return {
    of: (request) => stateOf(request)[key],
    set: (request, value) => {
      stateOf(request)[key] = value;
    },
  };
}
