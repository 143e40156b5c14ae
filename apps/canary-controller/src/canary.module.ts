import { Module, type DynamicModule } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { IDEMPOTENCY_STORE, type IdempotencyStore } from '@keelson/service-kit';
import { CanariesController } from './http/canaries.controller.ts';
import { CanaryService } from './http/canary.service.ts';
import { orUnavailable, PartsAway } from './http/parts-away.ts';

/** The HTTP side; the loop beside it needs no container. */
@Module({})
export class CanaryModule {
  static with(service: CanaryService, idempotency: IdempotencyStore): DynamicModule {
    return {
      module: CanaryModule,
      controllers: [CanariesController],
      providers: [
        { provide: CanaryService, useValue: service },
        { provide: IDEMPOTENCY_STORE, useValue: orUnavailable(idempotency) },
        { provide: APP_INTERCEPTOR, useClass: PartsAway },
      ],
    };
  }
}
