import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { KubernetesError, KubernetesUnreachableError } from '@keelson/kubernetes';
import { DatabaseUnavailableError, isConnectionLoss } from '@keelson/persistence';
import { CallerError, type IdempotencyStore } from '@keelson/service-kit';
import { catchError, throwError, type Observable } from 'rxjs';

/** While the database or the API server is away the caller hears 503 and which of them, not that we are at fault. */
@Injectable()
export class PartsAway implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(catchError((error: unknown) => throwError(() => toUnavailable(error))));
  }
}

/** The same for the idempotency keys, which are looked up before anything else. */
export function orUnavailable(store: IdempotencyStore): IdempotencyStore {
  const guard = async <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw toUnavailable(error);
    });
  return {
    begin: (...request) => guard(store.begin(...request)),
    finish: (...answer) => guard(store.finish(...answer)),
    abandon: (...claim) => guard(store.abandon(...claim)),
  };
}

function toUnavailable(error: unknown): unknown {
  // Before the database: what tells its connections are lost are the codes of sockets, which these errors have, too.
  if (error instanceof KubernetesUnreachableError) return unavailable('The Kubernetes API server', error);
  if (isConnectionLoss(error) || error instanceof DatabaseUnavailableError) return unavailable('The database', error);
  const overloaded = error instanceof KubernetesError && (error.status === 429 || error.status >= 500);
  return overloaded ? unavailable('The Kubernetes API server', error) : error;
}

function unavailable(part: string, cause: unknown): CallerError {
  return new CallerError('unavailable', {
    detail: `${part} is away. Try again; with the same Idempotency-Key nothing is done twice.`,
    retryAfterSeconds: 2,
    cause,
  });
}
