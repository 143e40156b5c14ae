import { type DynamicModule, Global, Module, type Type } from '@nestjs/common';
import { type Clock, systemClock } from '../clock.ts';
import { CLOCK, CONFIG } from '../tokens.ts';

/** Gives CONFIG and CLOCK to every module of the service. */
export class KitModule {
  static around(service: Type | DynamicModule, config: object, clock: Clock = systemClock): DynamicModule {
    return {
      module: KitModule,
      imports: [service],
      providers: [
        { provide: CONFIG, useValue: config },
        { provide: CLOCK, useValue: clock },
      ],
      exports: [CONFIG, CLOCK],
    };
  }
}

Global()(KitModule);
Module({})(KitModule);
