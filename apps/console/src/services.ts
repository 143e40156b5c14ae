import { type Api, canariesApi, certificatesApi, eventsApi, messagesApi, ordersApi } from '@keelson/contracts';

/** The four services by the name of what they keep: the console has each one's API at /api/<name>. */
export const SERVICES = {
  certificates: { service: 'cert-service', api: certificatesApi },
  events: { service: 'event-relay', api: eventsApi },
  canaries: { service: 'canary-controller', api: canariesApi },
  orders: { service: 'order-demo', api: ordersApi },
} as const;

export type ServiceKey = keyof typeof SERVICES;

/** The services that consume messages, and serve their queues and parking lots besides their own API. */
export const MESSAGE_KEYS = ['orders', 'events'] as const satisfies readonly ServiceKey[];
export type MessageKey = (typeof MESSAGE_KEYS)[number];

/** Every API that a service serves. */
export const apisOf = (key: ServiceKey): readonly Api[] =>
  MESSAGE_KEYS.some((one) => one === key) ? [SERVICES[key].api, messagesApi] : [SERVICES[key].api];

export const SERVICE_KEYS = Object.keys(SERVICES) as readonly ServiceKey[];
