// What a server without Nest shares with the services (the console's): nothing in here loads Nest.
export { baseShape, urlOf } from './config/base-config.ts';
export { flag, list, secret } from './config/values.ts';

export { runProcess, type Running } from './server/run-process.ts';
export { InFlight } from './server/drain.ts';
export { type Probes, serveHealth } from './server/health-routes.ts';
export { answerUnroutable } from './server/routing-faults.ts';

export { answerProblem } from './problems/answer-problem.ts';
export { CallerError } from './problems/caller-error.ts';

export { type Logger, logger } from './observe/logger.ts';
export { measureRequests } from './observe/http-metrics.ts';
export { collectProcessMetrics } from './observe/metrics.ts';
export { traceRequests } from './observe/request-trace.ts';
export { flushTraces, startTracing, traceHeaders } from './observe/tracing.ts';
