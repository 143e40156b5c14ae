import {
  Global,
  Inject,
  Module,
  type DynamicModule,
  type FactoryProvider,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { DiscoveryModule, DiscoveryService } from '@nestjs/core';
import type { MessageContext } from '../consume/subscription.ts';
import type { Received } from '../envelope/received.ts';
import { Messaging } from '../messaging.ts';
import type { MessagingOptions } from '../options.ts';
import { handlersOf, type Handler, type SubscribeDecoratorOptions } from './subscribe.ts';

export interface MessagingModuleOptions extends MessagingOptions {
  /** Run an outbox relay in this process. Default: yes where there is a database. */
  relay?: boolean;
  /** Only these queues are consumed here: for programs whose roles run apart. Default all. */
  queues?: (queue: string) => boolean;
}

const OPTIONS = Symbol('keelson:messaging-options');

/** Provides {@link Messaging}, attaches all `@Subscribe` methods at start, drains at shutdown. */
@Global()
@Module({})
export class MessagingModule implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown {
  static forRoot(options: MessagingModuleOptions): DynamicModule {
    return MessagingModule.forRootAsync({ useFactory: () => options });
  }

  static forRootAsync(options: {
    inject?: FactoryProvider['inject'];
    imports?: DynamicModule['imports'];
    useFactory(...dependencies: never[]): MessagingModuleOptions | Promise<MessagingModuleOptions>;
  }): DynamicModule {
    return {
      module: MessagingModule,
      imports: [DiscoveryModule, ...(options.imports ?? [])],
      providers: [
        {
          provide: OPTIONS,
          inject: options.inject ?? [],
          useFactory: (...dependencies: unknown[]) => options.useFactory(...(dependencies as never[])),
        },
        { provide: Messaging, inject: [OPTIONS], useFactory: (all: MessagingModuleOptions) => Messaging.connect(all) },
      ],
      exports: [Messaging],
    };
  }

  readonly #messaging: Messaging;
  readonly #options: MessagingModuleOptions;
  readonly #discovery: DiscoveryService;

  constructor(
    @Inject(Messaging) messaging: Messaging,
    @Inject(OPTIONS) options: MessagingModuleOptions,
    @Inject(DiscoveryService) discovery: DiscoveryService,
  ) {
    this.#messaging = messaging;
    this.#options = options;
    this.#discovery = discovery;
  }

  async onApplicationBootstrap(): Promise<void> {
    try {
      await this.#attach();
    } catch (error) {
      // Nest closes nothing of an application that did not start.
      await this.#messaging.close(0);
      throw error;
    }
  }

  async #attach(): Promise<void> {
    for (const [queue, bound] of this.#collect()) {
      const [first] = bound;
      if (first === undefined || this.#options.queues?.(queue) === false) continue;
      const byDefinition = new Map(bound.map((entry) => [entry.handler.definition, entry.call]));
      await this.#messaging.subscribe({
        ...first.handler.options,
        messages: [...byDefinition.keys()],
        handler: async (message: Received, context: MessageContext) =>
          byDefinition.get(message.definition)?.(message, context),
      });
    }
    if (this.#options.relay ?? this.#options.database !== undefined) await this.#messaging.startOutboxRelay();
  }

  /** Before HTTP closes and the database goes: requests under way may still publish. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.#messaging.drain();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#messaging.close();
  }

  #collect(): Map<string, Bound[]> {
    const queues = new Map<string, Bound[]>();
    for (const wrapper of [...this.#discovery.getProviders(), ...this.#discovery.getControllers()]) {
      const instance = wrapper.instance as Record<string | symbol, Call> | null | undefined;
      if (instance === null || instance === undefined || typeof instance !== 'object') continue;
      for (const handler of handlersOf(instance.constructor)) {
        const bound = queues.get(handler.options.queue) ?? [];
        refuseContradiction(bound, handler);
        bound.push({ handler, call: (message, context) => run(instance, handler, message, context) });
        queues.set(handler.options.queue, bound);
      }
    }
    return queues;
  }
}

type Call = (payload: unknown, context: MessageContext & { message: Received }) => Promise<void>;

interface Bound {
  handler: Handler;
  call: (message: Received, context: MessageContext) => Promise<void>;
}

async function run(
  instance: Record<string | symbol, Call>,
  handler: Handler,
  message: Received,
  context: MessageContext,
): Promise<void> {
  const { tx, attempt } = context;
  await instance[handler.method]?.(message.payload, {
    message,
    tx,
    attempt,
    // Made only for who looks at it.
    get signal() {
      return context.signal;
    },
  });
}

function refuseContradiction(bound: readonly Bound[], handler: Handler): void {
  const { queue } = handler.options;
  if (bound.some((other) => other.handler.definition === handler.definition)) {
    throw new Error(
      `two @Subscribe methods handle ${handler.definition.routingKey} on queue ${queue}: give one of them a queue of its own`,
    );
  }
  const first = bound[0]?.handler.options;
  if (first !== undefined && fingerprint(first) !== fingerprint(handler.options)) {
    throw new Error(
      `the @Subscribe methods of queue ${queue} disagree: ${fingerprint(first)} and ${fingerprint(handler.options)}. All methods of one queue need the same options`,
    );
  }
}

const fingerprint = (options: SubscribeDecoratorOptions): string =>
  JSON.stringify(Object.entries(options).sort(([one], [other]) => (one < other ? -1 : 1)));
