import type { Endpoint } from '@keelson/contracts';
import type { FastifyInstance } from 'fastify';
import type { IdempotencyStore } from '../idempotency/store.ts';
import type { OperationInput, OperationResult } from './input.ts';
import { runOperation } from './pipeline.ts';
import { type OperationRouteConfig, routerPath } from './route.ts';

/**
 * Serves an operation past Nest's router, guards and interceptors: for the one or two that a service answers thousands
 * of times a second. All else is as with `@Operation`: token, scope, limits, validation, problems, metrics, trace. Call
 * it from onModuleInit with the Fastify instance of HttpAdapterHost.
 */
export function serveDirectly<E extends Endpoint>(
  server: FastifyInstance,
  endpoint: E,
  handler: (input: OperationInput<E>) => Promise<OperationResult<E>>,
  store?: IdempotencyStore,
): void {
  const call = handler as (input: OperationInput<Endpoint>) => Promise<unknown>;
  server.route({
    method: endpoint.method,
    url: routerPath(endpoint.path),
    config: { keelson: endpoint } satisfies OperationRouteConfig,
    handler: (request, reply) => {
      reply.code(endpoint.status);
      return runOperation({ endpoint, request, reply, store, call });
    },
  });
}
