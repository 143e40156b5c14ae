import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { DatabaseUnavailableError, isConnectionLoss } from '@keelson/persistence';
import { CallerError } from '@keelson/service-kit';
import { catchError, throwError, type Observable } from 'rxjs';

/** While the database is away the caller hears 503 and when to try again, not that something went wrong here. */
@Injectable()
export class DatabaseFaults implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(catchError((error: unknown) => throwError(() => toUnavailable(error))));
  }
}

function toUnavailable(error: unknown): unknown {
  if (!isConnectionLoss(error) && !(error instanceof DatabaseUnavailableError)) return error;
  return new CallerError('unavailable', {
    detail: 'The database is away. Try again; an alert that is sent twice is stored once.',
    retryAfterSeconds: 2,
    cause: error,
  });
}
