import {
  couponExpiredV2,
  couponGranted,
  couponWithdrawalRequested,
  couponWithdrawn,
  documentIssued,
  documentVoided,
  documentVoidRequested,
  type MessageDefinition,
  notificationSent,
  orderAccepted,
  orderCompensated,
  orderConfirmedV2,
  orderPaid,
  paymentDeclined,
  paymentRefunded,
  paymentRefundRequested,
  paymentRequested,
  paymentTaken,
  quoteRequested,
} from '@keelson/contracts';
import type { CircuitBreakerOptions, RequestQueuePlan, RetryPolicy } from '@keelson/messaging';
import type { Role } from './settings/roles.ts';

interface RoleQueue {
  role: Role;
  queue: string;
  messages: readonly MessageDefinition[];
  /** Handlers at once in one process. Each holds a database connection; see DATABASE_POOL_SIZE. */
  concurrency: number;
  retry?: Partial<RetryPolicy>;
  circuitBreaker?: Partial<CircuitBreakerOptions>;
  priorities?: 'separate-queues';
}

export const INVENTORY_QUEUE = {
  role: 'inventory',
  queue: 'order-demo.inventory',
  messages: [
    orderAccepted,
    paymentTaken,
    paymentDeclined,
    paymentRefunded,
    documentIssued,
    documentVoided,
    couponGranted,
    couponWithdrawn,
    notificationSent,
  ],
  concurrency: 5,
} as const satisfies RoleQueue;
/** Apart from the reports, so that a slow provider keeps nothing else waiting. */
export const PAYMENTS_QUEUE = {
  role: 'inventory',
  queue: 'order-demo.payments',
  messages: [paymentRequested, paymentRefundRequested],
  concurrency: 10,
  // Refunds pass `order-demo.payments.high`; works on every RabbitMQ, see docs/messaging.
  priorities: 'separate-queues',
  // Money that is to be given back is asked for as long as it takes; the saga asks again besides.
  retry: { quickDelaysMs: [], firstDelayMs: 500, maxDelayMs: 30_000, attempts: 20 },
  // A provider that is away is not asked by every message: they wait in the queue, and use up no attempt.
  circuitBreaker: { minimum: 5, openMs: 2_000, maxOpenMs: 10_000 },
} as const satisfies RoleQueue;
export const DOCUMENTS_QUEUE = {
  role: 'documents',
  queue: 'order-demo.documents',
  messages: [orderPaid, documentVoidRequested],
  concurrency: 5,
} as const satisfies RoleQueue;
export const COUPONS_QUEUE = {
  role: 'coupons',
  queue: 'order-demo.coupons',
  messages: [orderPaid, couponWithdrawalRequested, couponExpiredV2],
  concurrency: 5,
} as const satisfies RoleQueue;
export const NOTIFICATIONS_QUEUE = {
  role: 'notifications',
  queue: 'order-demo.notifications',
  messages: [orderPaid, orderCompensated],
  concurrency: 5,
} as const satisfies RoleQueue;
/** The read side keeps what it answers with; it may lag, orders never wait for it. */
export const CUSTOMERS_QUEUE = {
  role: 'api',
  queue: 'order-demo.customers',
  messages: [orderConfirmedV2],
  concurrency: 2,
} as const satisfies RoleQueue;

/** Answers what a customer asks before ordering. */
export const QUOTES_QUEUE = 'order-demo.quotes';
/** Every queue of requests; declared and listed by each process as {@link QUEUES} are. */
export const REQUEST_QUEUES = [
  { kind: 'requests', queue: QUOTES_QUEUE, messages: [quoteRequested] },
] as const satisfies readonly RequestQueuePlan[];
/** Of each process, a queue of its own whose name begins so. */
export const PRICES_BROADCAST = 'order-demo.prices';

/** Every queue of order-demo. Each process declares all of them, so that a message waits for a role that is not up yet. */
export const QUEUES: readonly RoleQueue[] = [
  INVENTORY_QUEUE,
  PAYMENTS_QUEUE,
  DOCUMENTS_QUEUE,
  COUPONS_QUEUE,
  NOTIFICATIONS_QUEUE,
  CUSTOMERS_QUEUE,
];

/** Whether a process with these roles takes part in what has this name. */
export const belongsTo = (name: string, roles: ReadonlySet<Role>): boolean =>
  name === PRICES_BROADCAST ||
  (name === QUOTES_QUEUE && roles.has('inventory')) ||
  QUEUES.some(({ queue, role }) => queue === name && roles.has(role));
