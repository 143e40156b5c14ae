import { Module, type DynamicModule } from '@nestjs/common';
import { Messaging } from '../messaging.ts';
import { MessagesController } from './messages.controller.ts';

/** Serves `messagesApi` of libs/contracts over the queues of the {@link Messaging} of this service. */
@Module({ controllers: [MessagesController] })
export class MessagesHttpModule {
  /** For services whose Messaging is made outside of Nest. */
  static of(messaging: Messaging): DynamicModule {
    return { module: MessagesHttpModule, providers: [{ provide: Messaging, useValue: messaging }] };
  }
}
