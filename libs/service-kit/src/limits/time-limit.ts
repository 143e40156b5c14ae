import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { answerProblem } from '../problems/answer-problem.ts';
import { CallerError } from '../problems/caller-error.ts';
import { requestState } from '../server/request-state.ts';

interface Limited {
  readonly timer: NodeJS.Timeout;
  /** Made when somebody asks for it: an AbortSignal for each request costs as much as parsing its body. */
  controller?: AbortController;
  over: boolean;
}

const limited = requestState<Limited>('time limit');

/**
 * Answers for an operation that takes longer than `limitMs`, counted from the first byte of its headers: 408 while the
 * body is still missing, else 503. The operation is told by its signal; whether it listens is its own affair.
 */
export function limitTime(server: FastifyInstance, limitMs: number): void {
  server.addHook('onRequest', (request, reply, done) => {
    const state: Limited = { timer: setTimeout(() => timeUp(request, reply, state), limitMs), over: false };
    limited.set(request, state);
    // On the answer, not the request: that one closes as soon as its body is read.
    reply.raw.once('close', () => {
      clearTimeout(state.timer);
      state.over = true;
      if (!reply.raw.writableFinished) state.controller?.abort(new Error('the client went away'));
    });
    done();
  });
}

function timeUp(request: FastifyRequest, reply: FastifyReply, state: Limited): void {
  // A live view was taken out of fastify's hands and may go on for hours.
  if (reply.sent) return;
  state.over = true;
  const error = request.raw.complete
    ? new CallerError('timed-out', { detail: 'It may or may not have taken effect.', retryAfterSeconds: 1 })
    : new CallerError('request-timeout', {
        detail: 'The body did not arrive in time.',
        headers: { connection: 'close' },
      });
  state.controller?.abort(error);
  if (!reply.sent) answerProblem(error, request, reply);
}

/** Aborted when the client goes away or the time is up. */
export function signalOf(request: FastifyRequest): AbortSignal {
  const state = limited.of(request);
  if (state === undefined) return AbortSignal.abort();
  state.controller ??= new AbortController();
  if (state.over) state.controller.abort();
  return state.controller.signal;
}
