import type { MessageDefinition } from '@keelson/contracts';
import {
  Global,
  Inject,
  Module,
  type BeforeApplicationShutdown,
  type DynamicModule,
  type FactoryProvider,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { ApplicationConfig, DiscoveryModule, DiscoveryService, ModulesContainer } from '@nestjs/core';
import { Messaging } from '../messaging.ts';
import type { MessagingOptions } from '../options.ts';
import { attachAll, type Bound } from './attach.ts';
import { enhancer } from './enhanced.ts';
import { MessagePublisher } from './message-publisher.ts';
import { handlersOf } from './subscribe.ts';
import { DEFAULT_CONNECTION, getMessagingToken, getPublisherToken } from './tokens.ts';

export interface MessagingModuleOptions extends MessagingOptions {
  /** Run an outbox relay in this process. Default: yes where there is a database. */
  relay?: boolean;
  /** Run a message scheduler in this process; needs scheduleMigrations. Default no. */
  scheduler?: boolean;
  /** Only these queues are consumed here: for programs whose roles run apart. Default all. */
  queues?: (queue: string) => boolean;
  /**
   * Run the guards, interceptors, pipes and filters of the application as a whole on handlers, too. Default no: most
   * are made for HTTP. Those of a class or method always run.
   */
  globalEnhancers?: boolean;
}

export interface MessagingModuleAsyncOptions {
  /** For programs with several connections: handlers name it, getMessagingToken(name) gives its Messaging. */
  name?: string;
  inject?: FactoryProvider['inject'];
  imports?: DynamicModule['imports'];
  useFactory(...dependencies: never[]): MessagingModuleOptions | Promise<MessagingModuleOptions>;
}

const NAME = Symbol('keelson:messaging-name');
const OPTIONS = Symbol('keelson:messaging-options');
const CONNECTION = Symbol('keelson:messaging-connection');

/** Provides {@link Messaging}, attaches all decorated methods at start, drains at shutdown. */
@Global()
@Module({})
export class MessagingModule implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown {
  static forRoot(options: MessagingModuleOptions & { name?: string }): DynamicModule {
    const { name, ...rest } = options;
    return MessagingModule.forRootAsync({ ...(name !== undefined && { name }), useFactory: () => rest });
  }

  static forRootAsync(options: MessagingModuleAsyncOptions): DynamicModule {
    const token = getMessagingToken(options.name);
    return {
      module: MessagingModule,
      imports: [DiscoveryModule, ...(options.imports ?? [])],
      providers: [
        { provide: NAME, useValue: options.name ?? DEFAULT_CONNECTION },
        {
          provide: OPTIONS,
          inject: options.inject ?? [],
          useFactory: (...dependencies: unknown[]) => options.useFactory(...(dependencies as never[])),
        },
        { provide: CONNECTION, inject: [OPTIONS], useFactory: (all: MessagingModuleOptions) => Messaging.connect(all) },
        { provide: token, useExisting: CONNECTION },
      ],
      exports: [token],
    };
  }

  /** Publishers of these messages, to be injected by {@link getPublisherToken}: what a feature module sends. */
  static forFeature(messages: readonly MessageDefinition[], name?: string): DynamicModule {
    const providers = messages.map((definition) => ({
      provide: getPublisherToken(definition, name),
      inject: [getMessagingToken(name)],
      useFactory: (messaging: Messaging) => new MessagePublisher(messaging, definition),
    }));
    return { module: MessagingFeature, providers, exports: providers.map(({ provide }) => provide) };
  }

  readonly #name: string;
  readonly #messaging: Messaging;
  readonly #options: MessagingModuleOptions;
  readonly #discovery: DiscoveryService;
  readonly #modules: ModulesContainer;
  readonly #config: ApplicationConfig;

  constructor(
    @Inject(NAME) name: string,
    @Inject(CONNECTION) messaging: Messaging,
    @Inject(OPTIONS) options: MessagingModuleOptions,
    @Inject(DiscoveryService) discovery: DiscoveryService,
    @Inject(ModulesContainer) modules: ModulesContainer,
    @Inject(ApplicationConfig) config: ApplicationConfig,
  ) {
    this.#name = name;
    this.#messaging = messaging;
    this.#options = options;
    this.#discovery = discovery;
    this.#modules = modules;
    this.#config = config;
  }

  async onApplicationBootstrap(): Promise<void> {
    const { queues, relay, database, scheduler } = this.#options;
    try {
      await attachAll(this.#messaging, this.#collect(), queues ?? (() => true));
      if (relay ?? database !== undefined) await this.#messaging.startOutboxRelay();
      if (scheduler === true) await this.#messaging.startScheduler();
    } catch (error) {
      // Nest closes nothing of an application that did not start.
      await this.#messaging.close(0);
      throw error;
    }
  }

  /** Before HTTP closes and the database goes: requests under way may still publish. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.#messaging.drain();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#messaging.close();
  }

  #collect(): Bound[] {
    const enhance = enhancer(this.#modules, this.#options.globalEnhancers === true ? this.#config : undefined);
    const all: Bound[] = [];
    for (const wrapper of [...this.#discovery.getProviders(), ...this.#discovery.getControllers()]) {
      const instance = wrapper.instance as object | null | undefined;
      if (instance === null || instance === undefined || typeof instance !== 'object') continue;
      for (const handler of handlersOf(instance.constructor)) {
        if ((handler.options.connection ?? DEFAULT_CONNECTION) !== this.#name) continue;
        all.push({ handler, call: enhance(instance, handler.method) });
      }
    }
    return all;
  }
}

/** Of MessagingModule.forFeature. */
@Module({})
class MessagingFeature {}
