import { type Identity, identityApi } from '@keelson/contracts';
import type { FastifyInstance } from 'fastify';
import { principalOf, unauthenticated } from './authenticate.ts';

/** Tells the holder of a token what it may do, so that a page can say so before anything is tried. */
export function serveIdentity(server: FastifyInstance): void {
  const { whoAmI } = identityApi.endpoints;
  server.get(whoAmI.path, { config: { keelson: whoAmI } }, (request, reply): Identity => {
    const principal = principalOf(request);
    if (principal === undefined) throw unauthenticated(request);
    reply.header('cache-control', 'no-store');
    return { name: principal.name, team: principal.team, scopes: [...principal.scopes] };
  });
}
