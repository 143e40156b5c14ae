import { Module, type DynamicModule } from '@nestjs/common';
import type { Messaging } from '@keelson/messaging';
import { MessagesHttpModule } from '@keelson/messaging/http';
import { Database } from '@keelson/persistence';
import { DeadLetters } from './delivery/dead-letters.ts';
import { Sinks } from './delivery/sinks.ts';
import { ALERTS_RECEIVED, CLUSTER, EventsController } from './http/events.controller.ts';
import { GapLedger } from './journal/gap-ledger.ts';
import { Journal } from './journal/journal.ts';

/** The HTTP side; watches and couriers run beside it and need no container. */
@Module({})
export class EventRelayModule {
  static with(parts: {
    database: Database;
    journal: Journal;
    sinks: Sinks;
    deadLetters: DeadLetters;
    gaps: GapLedger;
    cluster: string;
    alertsReceived: (count: number) => void;
    messaging: Messaging;
  }): DynamicModule {
    return {
      module: EventRelayModule,
      imports: [MessagesHttpModule.of(parts.messaging)],
      controllers: [EventsController],
      providers: [
        { provide: Database, useValue: parts.database },
        { provide: Journal, useValue: parts.journal },
        { provide: Sinks, useValue: parts.sinks },
        { provide: DeadLetters, useValue: parts.deadLetters },
        { provide: GapLedger, useValue: parts.gaps },
        { provide: CLUSTER, useValue: parts.cluster },
        { provide: ALERTS_RECEIVED, useValue: parts.alertsReceived },
      ],
    };
  }
}
