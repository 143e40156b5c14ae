import type { Scope } from '@keelson/contracts';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { endpointOf } from '../operation/route.ts';
import { CallerError } from '../problems/caller-error.ts';
import { requestState } from '../server/request-state.ts';
import type { CredentialVerifier, Principal } from './principal.ts';

const principals = requestState<Principal>('principal');

/** Who makes this request; undefined on open paths without a token. */
export const principalOf = (request: FastifyRequest): Principal | undefined => principals.of(request);

/**
 * Finds out who makes a request, before its body is read. Refuses nobody yet: the rate limit comes in between, so that
 * guessing tokens is limited as well. A token on an open path is looked at but not needed.
 */
export function identify(server: FastifyInstance, verifier: CredentialVerifier): void {
  server.addHook('onRequest', async (request) => {
    if (endpointOf(request) === undefined) return;
    const bearer = bearerOf(request.headers.authorization);
    const principal = bearer === undefined ? undefined : await verify(verifier, bearer);
    if (principal !== undefined) principals.set(request, principal);
  });
}

/** Refuses who lacks a token or its scope, still before the body is read: a stranger cannot make us parse anything. */
export function authorize(server: FastifyInstance): void {
  server.addHook('onRequest', (request, _reply, done) => {
    const scope = endpointOf(request)?.scope ?? null;
    const principal = principalOf(request);
    if (scope === null || principal?.has(scope) === true) done();
    else if (principal === undefined) done(unauthenticated(request));
    else done(scopeMissing(principal, scope));
  });
}

const scopeMissing = (principal: Principal, scope: Scope): CallerError =>
  new CallerError('scope-missing', {
    detail: `Token "${principal.name}" lacks the scope ${scope}; it has ${principal.scopes.join(', ')}.`,
    headers: { 'www-authenticate': `Bearer realm="keelson", error="insufficient_scope", scope="${scope}"` },
  });

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

/** 401 that tells whether a token was missing or unknown. */
export function unauthenticated(request: FastifyRequest): CallerError {
  const given = bearerOf(request.headers.authorization) !== undefined;
  return new CallerError('unauthenticated', {
    detail: given ? 'The token is unknown.' : 'Send the header "Authorization: Bearer <token>".',
    // RFC 6750 section 3.1: no error code where no token was sent.
    headers: { 'www-authenticate': `Bearer realm="keelson"${given ? ', error="invalid_token"' : ''}` },
  });
}
