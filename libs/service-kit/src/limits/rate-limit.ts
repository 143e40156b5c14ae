import type { FastifyInstance } from 'fastify';
import { principalOf } from '../auth/authenticate.ts';
import { endpointOf } from '../operation/route.ts';
import { CallerError } from '../problems/caller-error.ts';
import { TokenBuckets } from './token-bucket.ts';

/**
 * Limits requests for each token (address, without one) and says so in RateLimit headers
 * (draft-ietf-httpapi-ratelimit-headers-07). Health and metrics are never limited.
 */
export function limitRate(server: FastifyInstance, perSecond: number): void {
  if (perSecond === 0) return;
  const buckets = new TokenBuckets(perSecond);
  server.addHook('onRequest', (request, reply, done) => {
    if (endpointOf(request) === undefined) {
      done();
      return;
    }
    const principal = principalOf(request);
    const key = principal === undefined ? `address ${request.ip}` : `token ${principal.id}`;
    const taken = buckets.take(key, performance.now());
    reply.header('ratelimit-limit', String(buckets.capacity));
    reply.header('ratelimit-remaining', String(taken.remaining));
    reply.header('ratelimit-reset', String(Math.ceil(taken.resetSeconds)));
    if (taken.allowed) done();
    else
      done(
        new CallerError('rate-limited', {
          detail: `At most ${perSecond} requests a second are allowed for each token.`,
          retryAfterSeconds: Math.max(1, taken.retryAfterSeconds),
        }),
      );
  });
}
