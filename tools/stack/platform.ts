import type { KubernetesClient } from '@keelson/kubernetes';
import type { TelegramStandIn } from '@keelson/testing';
import type { OrderDemoOptions } from './cluster/order-demo.manifests.ts';
import type { Credentials } from './credentials.ts';
import type { Progress } from './progress.ts';
import type { Supervised } from './services/supervised.ts';
import type { Customers } from './story/customers.ts';

export const DATABASES = ['cert-service', 'event-relay', 'canary-controller', 'order-demo'] as const;
export type DatabaseName = (typeof DATABASES)[number];

/** The running platform, as story and env file see it. */
export interface Platform {
  readonly progress: Progress;
  readonly client: KubernetesClient;
  readonly kubeconfig: string;
  readonly credentials: Credentials;
  readonly databases: Readonly<Record<DatabaseName, string>>;
  readonly amqpUrl: string;
  /** RabbitMQ's management API, where there is one. */
  readonly managementUrl: string | undefined;
  readonly urls: {
    readonly cert: string;
    readonly events: string;
    readonly canary: string;
    /** order-demo through the gateway. */
    readonly orders: string;
    readonly gateway: string;
    readonly console: string;
    readonly prometheus: string;
    readonly telegram: string;
    /** The payment provider; `PUT /behaviour` makes it slow, late, down, dropping or declining. */
    readonly payments: string;
  };
  readonly telegram: TelegramStandIn;
  /** PEM of the root certificate, and the file that has it. */
  readonly ca: string;
  readonly caFile: string;
  readonly orderDemo: OrderDemoOptions;
  readonly services: readonly Supervised[];
  /** fetch that trusts the platform's root. */
  readonly fetch: typeof fetch;
  customers(perSecond: number): Customers;
}
