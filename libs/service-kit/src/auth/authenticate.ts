import type { FastifyInstance, FastifyRequest } from 'fastify';
import { endpointOf } from '../operation/route.ts';
import { CallerError } from '../problems/caller-error.ts';
import type { CredentialVerifier, Principal } from './principal.ts';

const principals = new WeakMap<object, Principal>();

/** Who makes this request; undefined on open paths without a token. */
export const principalOf = (request: FastifyRequest): Principal | undefined => principals.get(request);

/**
 * Checks token and scope before the body is read, so that a stranger cannot make the service parse anything. A token on
 * an open path is looked at but not needed.
 */
export function authenticate(server: FastifyInstance, verifier: CredentialVerifier): void {
  server.addHook('onRequest', async (request) => {
    const endpoint = endpointOf(request);
    if (endpoint === undefined) return;
    const bearer = bearerOf(request.headers.authorization);
    const principal = bearer === undefined ? undefined : await verify(verifier, bearer);
    if (principal !== undefined) principals.set(request, principal);
    if (endpoint.scope === null) return;
    if (principal === undefined) throw unauthenticated(bearer !== undefined);
    if (!principal.has(endpoint.scope)) {
      throw new CallerError('scope-missing', {
        detail: `Token "${principal.name}" lacks the scope ${endpoint.scope}; it has ${principal.scopes.join(', ')}.`,
        headers: {
          'www-authenticate': `Bearer realm="keelson", error="insufficient_scope", scope="${endpoint.scope}"`,
        },
      });
    }
  });
}

/** RFC 6750 section 2.1; the scheme is case-insensitive (RFC 9110 section 11.1). */
function bearerOf(header: string | undefined): string | undefined {
  return /^bearer +([A-Za-z0-9._~+/=-]{1,4096}) *$/i.exec(header ?? '')?.[1];
}

async function verify(verifier: CredentialVerifier, bearer: string): Promise<Principal | undefined> {
  try {
    return await verifier.verify(bearer);
  } catch (error) {
    throw new CallerError('unavailable', {
      detail: 'Tokens cannot be checked now.',
      retryAfterSeconds: 5,
      cause: error,
    });
  }
}

const unauthenticated = (given: boolean): CallerError =>
  new CallerError('unauthenticated', {
    detail: given ? 'The token is unknown.' : 'Send the header "Authorization: Bearer <token>".',
    // RFC 6750 section 3.1: no error code where no token was sent.
    headers: { 'www-authenticate': `Bearer realm="keelson"${given ? ', error="invalid_token"' : ''}` },
  });
