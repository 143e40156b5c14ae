import { canariesApi, certificatesApi, eventsApi, ordersApi } from '@keelson/contracts';

/** The four services by the name of what they keep: the console has each one's API at /api/<name>. */
export const SERVICES = {
  certificates: { service: 'cert-service', api: certificatesApi },
  events: { service: 'event-relay', api: eventsApi },
  canaries: { service: 'canary-controller', api: canariesApi },
  orders: { service: 'order-demo', api: ordersApi },
} as const;

export type ServiceKey = keyof typeof SERVICES;

export const SERVICE_KEYS = Object.keys(SERVICES) as readonly ServiceKey[];
