import type { Log } from '@keelson/persistence';
import { connect, type ChannelModel } from 'amqplib';
import { hostname } from 'node:os';
import type { Duplex } from 'node:stream';
import { BrokerAccessError, ClosedError, TopologyMismatchError } from '../errors.ts';
import { messageOf } from '../message-of.ts';
import { fullJitter } from './backoff.ts';
import { brokerOf, type Broker } from './broker.ts';

export interface ConnectionOptions {
  url: string;
  /** The service; the broker shows the connection as `service@host (purpose)`. */
  service: string;
  purpose: 'publish' | 'consume';
  /** Seconds; a peer silent for two of them is taken for dead. */
  heartbeatSeconds: number;
  connectTimeoutMs: number;
  reconnect: { baseMs: number; capMs: number };
  log: Log;
}

export type ConnectionState =
  | { readonly state: 'connecting'; readonly attempt: number; readonly reason?: string }
  | { readonly state: 'connected'; readonly since: Date }
  | { readonly state: 'blocked'; readonly reason: string }
  | { readonly state: 'closed' };

export interface ConnectionListener {
  /** A new connection is up; what it throws makes the connection be dropped and tried again. */
  connected?(model: ChannelModel): Promise<void> | void;
  lost?(reason: string): void;
  blocked?(reason: string): void;
  unblocked?(): void;
}

interface Waiter {
  resolve(model: ChannelModel): void;
  reject(error: Error): void;
}

/**
 * One AMQP connection that comes back for ever. connecting -> connected on a completed handshake; connected -> blocked
 * and back on the broker's notices; any -> connecting when the socket ends, the heartbeat is missed or the broker closes
 * it; any -> closed by {@link close} only.
 */
export class AmqpConnection {
  readonly #options: ConnectionOptions;
  readonly #listeners = new Set<ConnectionListener>();
  #waiters: Waiter[] = [];
  #state: ConnectionState = { state: 'connecting', attempt: 0 };
  #model: ChannelModel | undefined;
  #timer: NodeJS.Timeout | undefined;
  #broker: Broker | undefined;
  reconnects = 0;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get model(): ChannelModel | undefined {
    return this.#model;
  }

  /** What the broker said it is, at the last connection; undefined before the first. */
  get broker(): Broker | undefined {
    return this.#broker;
  }

  /** `host:port/vhost`, without credentials. */
  get address(): string {
    const url = new URL(this.#options.url);
    return `${url.host}${url.pathname}`;
  }

  listen(listener: ConnectionListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Makes the first attempt. Throws BrokerAccessError when the broker refuses us, TopologyMismatchError when a listener
   * does; when it cannot be reached at all, resolves and goes on trying in the background.
   */
  async start(): Promise<void> {
    try {
      await this.#attempt();
    } catch (error) {
      const message = messageOf(error);
      this.#drop(message);
      if (error instanceof TopologyMismatchError) {
        await this.close();
        throw error;
      }
      if (isRefusal(message)) {
        await this.close();
        throw new BrokerAccessError(`RabbitMQ at ${this.address} refuses us: ${explain(message)}. Check AMQP_URL.`, {
          cause: error,
        });
      }
      this.#schedule(0, message);
    }
  }

  /** The live connection, now or as soon as there is one. Rejects with ClosedError only. */
  whenConnected(): Promise<ChannelModel> {
    if (this.#model !== undefined && this.#state.state !== 'connecting') return Promise.resolve(this.#model);
    if (this.#state.state === 'closed') return Promise.reject(new ClosedError('this connection was closed'));
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  /** Says goodbye to the broker for at most two seconds, then cuts the socket. */
  async close(): Promise<void> {
    if (this.#state.state === 'closed') return;
    this.#state = { state: 'closed' };
    clearTimeout(this.#timer);
    const error = new ClosedError('this connection was closed');
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
    const model = this.#model;
    this.#model = undefined;
    if (model === undefined) return;
    await within(2_000, model.close());
    cut(model);
  }

  async #attempt(): Promise<void> {
    const { service, purpose, heartbeatSeconds, connectTimeoutMs } = this.#options;
    const url = new URL(this.#options.url);
    if (!url.searchParams.has('heartbeat')) url.searchParams.set('heartbeat', String(heartbeatSeconds));
    const model = await connect(url.href, {
      timeout: connectTimeoutMs,
      noDelay: true,
      keepAlive: true,
      clientProperties: { connection_name: `${service}@${hostname()} (${purpose})` },
    });
    if (this.#state.state === 'closed') {
      await within(2_000, model.close());
      cut(model);
      return;
    }
    this.#broker = brokerOf(model);
    batchWrites(streamOf(model));
    let lastError: string | undefined;
    let ended: string | undefined;
    let isSetUp = false;
    // Without a listener Node would throw; what matters follows in 'close'.
    model.on('error', (error) => (lastError = error.message));
    model.on('close', (error) => {
      cut(model);
      ended = error?.message ?? lastError ?? 'connection closed';
      // Before it is set up this attempt fails and goes on from there: were both to, each would make a next attempt.
      if (isSetUp && this.#model === model) this.#lost(ended);
    });
    model.on('blocked', (reason) => this.#blocked(reason));
    model.on('unblocked', () => this.#unblocked());
    this.#model = model;
    await Promise.all([...this.#listeners].map(async (listener) => listener.connected?.(model)));
    if (ended !== undefined) throw new Error(ended);
    isSetUp = true;
    if (this.#state.state === 'connecting') this.#state = { state: 'connected', since: new Date() };
    for (const waiter of this.#waiters.splice(0)) waiter.resolve(model);
  }

  #lost(reason: string): void {
    this.#model = undefined;
    if (this.#state.state === 'closed') return;
    for (const listener of this.#listeners) listener.lost?.(reason);
    this.reconnects += 1;
    this.#schedule(0, reason);
  }

  #schedule(attempt: number, reason: string): void {
    if (this.#state.state === 'closed') return;
    this.#state = { state: 'connecting', attempt, reason };
    const { log, purpose, reconnect } = this.#options;
    if (attempt % 10 === 0)
      log.warn({ broker: this.address, purpose, reason, attempt }, 'no connection to RabbitMQ; trying again');
    this.#timer = setTimeout(
      () => {
        this.#attempt().then(
          () => log.info({ broker: this.address, purpose, attempts: attempt + 1 }, 'connected to RabbitMQ again'),
          (error: unknown) => {
            const message = messageOf(error);
            this.#drop(message);
            this.#schedule(attempt + 1, message);
          },
        );
      },
      fullJitter(attempt, reconnect),
    );
  }

  /** Of a connection whose set-up failed; some listeners may have begun to use it. */
  #drop(reason: string): void {
    const model = this.#model;
    this.#model = undefined;
    if (model === undefined) return;
    cut(model);
    for (const listener of this.#listeners) listener.lost?.(reason);
  }

  #blocked(reason: string): void {
    if (this.#state.state === 'closed') return;
    this.#state = { state: 'blocked', reason };
    this.#options.log.warn({ broker: this.address, reason }, 'RabbitMQ blocks publishers');
    for (const listener of this.#listeners) listener.blocked?.(reason);
  }

  #unblocked(): void {
    if (this.#state.state !== 'blocked') return;
    this.#state = { state: 'connected', since: new Date() };
    for (const listener of this.#listeners) listener.unblocked?.();
  }
}

// 403 wrong credentials or no permission for the virtual host, 530 unknown virtual host: AMQP 0-9-1, 1.2.
const isRefusal = (message: string): boolean =>
  /ACCESS[-_]REFUSED|NOT[-_]ALLOWED/.test(message) || noVhost.test(message);

// amqplib does not pass on the broker's words at this stage.
const noVhost = /Expected ConnectionOpenOk; got <ConnectionClose/;

const explain = (message: string): string =>
  noVhost.test(message) ? 'unknown virtual host, or no permission for it' : message;

/**
 * amqplib only half-closes the socket; a peer that hangs would keep it, and what it holds, for minutes. With an error,
 * since without one amqplib does not notice and its heartbeat goes on.
 */
const cut = (model: ChannelModel): void => void streamOf(model).destroy(new Error('the connection was cut'));

const streamOf = (model: ChannelModel): Duplex => (model.connection as unknown as { stream: Duplex }).stream;

/**
 * Gathers what is written in one turn of the event loop into one system call. amqplib writes frame by frame, and with
 * small messages the calls cost more than everything else: this halves the time per message.
 */
function batchWrites(stream: Duplex): void {
  const write = stream.write.bind(stream) as (...all: unknown[]) => boolean;
  let corked = false;
  stream.write = (...all: unknown[]): boolean => {
    if (!corked) {
      corked = true;
      stream.cork();
      process.nextTick(() => {
        corked = false;
        stream.uncork();
      });
    }
    return write(...all);
  };
}

/** Resolves when the work ends, however it ends, or the time is up. */
export async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([
    work.then(
      () => undefined,
      () => undefined,
    ),
    limit,
  ]);
  clearTimeout(timer);
}
