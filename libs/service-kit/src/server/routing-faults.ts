import type { FastifyInstance } from 'fastify';
import { answerProblem } from '../problems/answer-problem.ts';
import { CallerError } from '../problems/caller-error.ts';

interface KnownRoute {
  readonly pattern: RegExp;
  readonly method: string;
}

/** 404 for paths that nobody knows, 405 with Allow (RFC 9110 section 15.5.6) for known ones with another method. */
export function answerUnroutable(server: FastifyInstance, hint = '/docs lists what there is'): void {
  const routes: KnownRoute[] = [];
  server.addHook('onRoute', ({ url, method }) => {
    for (const one of [method].flat()) routes.push({ pattern: patternOf(url), method: one });
  });
  server.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0]!;
    const allowed = [...new Set(routes.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method))];
    const error =
      allowed.length === 0
        ? new CallerError('no-such-path', { detail: `There is no ${path} here; ${hint}.` })
        : new CallerError('method-not-allowed', {
            detail: `${request.method} is not possible here; allowed: ${allowed.join(', ')}.`,
            headers: { allow: allowed.join(', ') },
          });
    answerProblem(error, request, reply);
  });
}

const patternOf = (url: string): RegExp =>
  new RegExp(`^${url.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(/:[^/]+/g, '[^/]+')}$`);
