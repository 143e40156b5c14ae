export { type Clock, systemClock } from './clock.ts';
export { CLOCK, CONFIG, CREDENTIAL_VERIFIER, IDEMPOTENCY_STORE } from './tokens.ts';

export { ConfigError, EXIT_CONFIG, type ConfigFault } from './config/config-error.ts';
export { urlOf } from './config/base-config.ts';
export { type BaseConfig, type ConfigSchema, defineConfig } from './config/define-config.ts';
export { loadConfig } from './config/load-config.ts';
export { flag, json, list, secret } from './config/values.ts';

export { type Probe, type Probes } from './server/health-routes.ts';
export { type RunningService, type ServiceOptions, startService } from './server/start-service.ts';
export { runService, type ServiceDefinition, type ServiceParts } from './server/run-service.ts';

export { Operation } from './operation/operation.ts';
export { serveDirectly } from './operation/serve-directly.ts';
export { type OperationInput, type OperationResult, type ServerSentEvent } from './operation/input.ts';

export { CallerError, type CallerErrorOptions } from './problems/caller-error.ts';
export { type ProblemCode, registeredProblems, registerProblems } from './problems/problem-table.ts';

export { type CredentialVerifier, type Principal, principal } from './auth/principal.ts';
export { FileTokens } from './auth/file-tokens.ts';

export {
  type IdempotencyBegin,
  type IdempotencyScope,
  type IdempotencyStore,
  type PendingIdempotency,
  type SqlRunner,
  type StoredAnswer,
} from './idempotency/store.ts';

export { type Logger, logger, setLogLevel } from './observe/logger.ts';
export { counter, gauge, histogram, registry } from './observe/metrics.ts';
export { tracedFetch, traceHeaders } from './observe/tracing.ts';
