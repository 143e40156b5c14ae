import { MessagingError } from '../errors.ts';

/** RabbitMQ's management API did not do what was asked. */
export class ManagementError extends MessagingError {
  override readonly name = 'ManagementError';
  readonly code = 'management';
  /** Undefined where it gave no answer. */
  readonly status: number | undefined;

  constructor(message: string, status?: number, options: { cause?: unknown } = {}) {
    super(message, options);
    this.status = status;
  }
}

export interface FoundQueue {
  readonly name: string;
  readonly type: string;
  readonly durable: boolean;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly consumers?: number;
  readonly messages_ready?: number;
  readonly messages_unacknowledged?: number;
  readonly message_stats?: Readonly<Record<string, unknown>>;
}

export interface FoundExchange {
  readonly name: string;
  readonly type: string;
  readonly durable: boolean;
  readonly arguments: Readonly<Record<string, unknown>>;
}

export interface FoundBinding {
  readonly source: string;
  readonly destination: string;
  readonly destination_type: 'queue' | 'exchange';
  readonly routing_key: string;
}

export interface FoundPolicy {
  readonly name: string;
  readonly pattern: string;
  readonly 'apply-to': string;
  readonly definition: Readonly<Record<string, unknown>>;
  readonly priority: number;
}

export interface FoundNode {
  readonly name: string;
  readonly running: boolean;
  readonly mem_alarm?: boolean;
  readonly disk_free_alarm?: boolean;
  readonly disk_free?: number;
  readonly disk_free_limit?: number;
  readonly mem_used?: number;
  readonly mem_limit?: number;
}

export interface Overview {
  readonly rabbitmq_version: string;
  readonly cluster_name?: string;
}

/**
 * RabbitMQ's management HTTP API for one virtual host. User and password come from the URL, or from the AMQP URL where it
 * has none. Every method throws {@link ManagementError}; no message of it has the credentials.
 */
export class ManagementApi {
  readonly #origin: string;
  readonly #prefix: string;
  readonly #authorization: string;
  readonly #vhost: string;

  constructor(managementUrl: string, amqpUrl: string) {
    const url = new URL(managementUrl);
    const amqp = new URL(amqpUrl);
    const from = url.username === '' ? amqp : url;
    const plain = `${decodeURIComponent(from.username)}:${decodeURIComponent(from.password)}`;
    this.#authorization = `Basic ${Buffer.from(plain).toString('base64')}`;
    this.#origin = url.origin;
    this.#prefix = url.pathname.replace(/\/+$/, '');
    // No path is the virtual host "/": AMQP URI specification.
    this.#vhost = amqp.pathname.length <= 1 ? '%2F' : encodeURIComponent(decodeURIComponent(amqp.pathname.slice(1)));
  }

  overview(): Promise<Overview> {
    return this.#call('GET', '/api/overview');
  }

  nodes(): Promise<FoundNode[]> {
    return this.#call('GET', '/api/nodes');
  }

  queues(): Promise<FoundQueue[]> {
    return this.#call('GET', `/api/queues/${this.#vhost}`);
  }

  exchanges(): Promise<FoundExchange[]> {
    return this.#call('GET', `/api/exchanges/${this.#vhost}`);
  }

  bindings(): Promise<FoundBinding[]> {
    return this.#call('GET', `/api/bindings/${this.#vhost}`);
  }

  async policies(): Promise<{ own: FoundPolicy[]; operator: FoundPolicy[] }> {
    const [own, operator] = await Promise.all([
      this.#call<FoundPolicy[]>('GET', `/api/policies/${this.#vhost}`),
      this.#call<FoundPolicy[]>('GET', `/api/operator-policies/${this.#vhost}`),
    ]);
    return { own, operator };
  }

  featureFlags(): Promise<{ name: string; state: string }[]> {
    return this.#call('GET', '/api/feature-flags');
  }

  setPolicy(name: string, policy: Omit<FoundPolicy, 'name'>): Promise<void> {
    return this.#call('PUT', `/api/policies/${this.#vhost}/${encodeURIComponent(name)}`, policy);
  }

  deletePolicy(name: string): Promise<void> {
    return this.#call('DELETE', `/api/policies/${this.#vhost}/${encodeURIComponent(name)}`);
  }

  async #call<T>(method: string, path: string, body?: unknown): Promise<T> {
    let response: Response;
    try {
      response = await fetch(`${this.#origin}${this.#prefix}${path}`, {
        method,
        headers: { authorization: this.#authorization, 'content-type': 'application/json' },
        signal: AbortSignal.timeout(10_000),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
      throw new ManagementError(`RabbitMQ's management API at ${this.#origin} gives no answer: ${cause}`, undefined, {
        cause: error,
      });
    }
    const text = await response.text();
    if (!response.ok) {
      throw new ManagementError(
        `RabbitMQ's management API at ${this.#origin}: ${method} ${path} answered ${response.status}. ${hint(response.status)}`,
        response.status,
      );
    }
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }
}

function hint(status: number): string {
  if (status === 401) return 'The user is unknown there, its password is wrong, or it lacks the tag "management".';
  if (status === 403) return 'The user may not: "policymaker" sets policies, "monitoring" reads nodes.';
  return '';
}
