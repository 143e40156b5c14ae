import * as canary from '../canaries/messages.ts';
import * as certificate from '../certificates/messages.ts';
import * as order from '../orders/messages.ts';
import { messageDiscarded, messageEdited, messageRedriven } from './acted.ts';
import type { MessageDefinition } from './message.ts';
import { messageParked } from './parked.ts';
import type { RequestDefinition } from './request.ts';

/**
 * No queue, only a parking lot, `keelson.delayed.parked`, which all services share: delayed messages that found no queue
 * when they were due.
 */
export const UNCLAIMED = 'keelson.delayed';

/** A queue of the platform: who reads it and what is bound to it. */
export type QueueDefinition = EventQueueDefinition | RequestQueueDefinition | StreamDefinition;

interface AnyQueue {
  readonly service: string;
  /** `<service>.<purpose>` */
  readonly queue: string;
  readonly messages: readonly MessageDefinition[];
}

/** Of events, with a parking lot. */
export interface EventQueueDefinition extends AnyQueue {
  readonly kind?: 'events';
  /** Where urgent messages have a queue of their own beside it. */
  readonly priorities?: 'separate-queues';
}

/** In which requests wait for who answers them. */
export interface RequestQueueDefinition extends AnyQueue {
  readonly kind: 'requests';
  readonly messages: readonly [RequestDefinition];
  /** Requests that wait, at most; where it is left out, the default of `respond`. */
  readonly maxLength?: number;
}

/** A broadcast in which messages stay for who was away. */
export interface StreamDefinition extends AnyQueue {
  readonly kind: 'stream';
  /** How long messages are kept; where it is left out, the default of `subscribeStream`. */
  readonly maxAgeSeconds?: number;
}

const orderDemo = (purpose: string, messages: readonly MessageDefinition[]): EventQueueDefinition => ({
  service: 'order-demo',
  queue: `order-demo.${purpose}`,
  messages,
});

/**
 * Every queue of the platform, so that tools know the topology without a service at hand. Each service's tests hold its
 * subscriptions against its part of this list.
 */
export const queueCatalogue: readonly QueueDefinition[] = [
  orderDemo('inventory', [
    order.orderAccepted,
    order.paymentTaken,
    order.paymentDeclined,
    order.paymentRefunded,
    order.documentIssued,
    order.documentVoided,
    order.couponGranted,
    order.couponWithdrawn,
    order.notificationSent,
  ]),
  { ...orderDemo('payments', [order.paymentRequested, order.paymentRefundRequested]), priorities: 'separate-queues' },
  orderDemo('documents', [order.orderPaid, order.documentVoidRequested]),
  orderDemo('coupons', [order.orderPaid, order.couponWithdrawalRequested, order.couponExpiredV2]),
  orderDemo('notifications', [order.orderPaid, order.orderCompensated]),
  orderDemo('customers', [order.orderConfirmedV2]),
  { service: 'order-demo', queue: 'order-demo.quotes', kind: 'requests', messages: [order.quoteRequested] },
  {
    service: 'event-relay',
    queue: 'event-relay.platform',
    messages: [
      canary.canaryStarted,
      canary.canaryStepped,
      canary.canaryPaused,
      canary.canaryPromoted,
      canary.canaryRolledBack,
      certificate.certificateIssued,
      certificate.certificateExpiring,
      certificate.certificateRevoked,
      certificate.certificateRenewed,
      messageDiscarded,
      messageEdited,
      messageParked,
      messageRedriven,
    ],
  },
];
