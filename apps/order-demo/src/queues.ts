import {
  couponGranted,
  couponWithdrawn,
  documentIssued,
  type MessageDefinition,
  notificationSent,
  orderAccepted,
  orderCompensated,
} from '@keelson/contracts';
import type { Role } from './settings/roles.ts';

interface RoleQueue {
  role: Role;
  queue: string;
  messages: readonly MessageDefinition[];
  /** Handlers at once in one process. Each holds a database connection; see DATABASE_POOL_SIZE. */
  concurrency: number;
}

const orderMessages = [orderAccepted, orderCompensated] as const;

export const INVENTORY_QUEUE = {
  role: 'inventory',
  queue: 'order-demo.inventory',
  messages: [documentIssued, couponGranted, notificationSent, couponWithdrawn],
  concurrency: 5,
} as const satisfies RoleQueue;
export const DOCUMENTS_QUEUE = {
  role: 'documents',
  queue: 'order-demo.documents',
  messages: orderMessages,
  concurrency: 5,
} as const satisfies RoleQueue;
export const COUPONS_QUEUE = {
  role: 'coupons',
  queue: 'order-demo.coupons',
  messages: orderMessages,
  concurrency: 5,
} as const satisfies RoleQueue;
export const NOTIFICATIONS_QUEUE = {
  role: 'notifications',
  queue: 'order-demo.notifications',
  messages: orderMessages,
  concurrency: 5,
} as const satisfies RoleQueue;

/** Every queue of order-demo. Each process declares all of them, so that a message waits for a role that is not up yet. */
export const QUEUES: readonly RoleQueue[] = [INVENTORY_QUEUE, DOCUMENTS_QUEUE, COUPONS_QUEUE, NOTIFICATIONS_QUEUE];
