import type { Endpoint } from '@keelson/contracts';
import type { FastifyRequest } from 'fastify';

/** What `@Operation` leaves on a route for the hooks of the server. */
export interface OperationRouteConfig {
  readonly keelson?: Endpoint;
}

/** The operation that a request was routed to; undefined for /healthz and the like, and where nothing matched. */
export const endpointOf = (request: FastifyRequest): Endpoint | undefined =>
  (request.routeOptions.config as OperationRouteConfig | undefined)?.keelson;

/** `/v1/orders/{id}` as the router writes it: `/v1/orders/:id`. */
export const routerPath = (path: string): string => path.replaceAll(/\{([^}]+)\}/g, ':$1');
