import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { DatabaseUnavailableError, isConnectionLoss } from '@keelson/persistence';
import { CallerError, type IdempotencyStore } from '@keelson/service-kit';
import { catchError, throwError, type Observable } from 'rxjs';

/** While the database is away the caller hears 503 and when to try again, not that something went wrong here. */
@Injectable()
export class DatabaseFaults implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(catchError((error: unknown) => throwError(() => toUnavailable(error))));
  }
}

/** The same for what is served past the interceptors. */
export async function orUnavailable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toUnavailable(error);
  }
}

/** The same for the idempotency keys, which are looked up before anything else. */
export const idempotencyOrUnavailable = (store: IdempotencyStore): IdempotencyStore => ({
  begin: (...request) => orUnavailable(() => store.begin(...request)),
  finish: (...answer) => orUnavailable(() => store.finish(...answer)),
  abandon: (...claim) => orUnavailable(() => store.abandon(...claim)),
});

function toUnavailable(error: unknown): unknown {
  if (!isConnectionLoss(error) && !(error instanceof DatabaseUnavailableError)) return error;
  return new CallerError('unavailable', {
    detail: 'The database is away. Try again; with the same Idempotency-Key nothing is done twice.',
    retryAfterSeconds: 2,
    cause: error,
  });
}
