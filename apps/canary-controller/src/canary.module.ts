import { Module, type DynamicModule } from '@nestjs/common';
import { CanariesController } from './http/canaries.controller.ts';
import { CanaryService } from './http/canary.service.ts';

/** The HTTP side; the loop beside it needs no container. */
@Module({})
export class CanaryModule {
  static with(service: CanaryService): DynamicModule {
    return {
      module: CanaryModule,
      controllers: [CanariesController],
      providers: [{ provide: CanaryService, useValue: service }],
    };
  }
}
