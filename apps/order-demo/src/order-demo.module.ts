import { type DynamicModule, Module, type Provider, type Type } from '@nestjs/common';
import { catalogue } from '@keelson/contracts';
import { MessagingModule } from '@keelson/messaging/nest';
import { Database, PersistenceModule } from '@keelson/persistence';
import { CLOCK, type Clock, counter, gauge, histogram, logger } from '@keelson/service-kit';
import { Door } from './accepting/door.ts';
import { OrderStore } from './accepting/order-store.ts';
import { PlaceOrder } from './accepting/place-order.ts';
import { Coupons } from './coupons/coupons.ts';
import { Documents } from './documents/documents.ts';
import { CancelOrderController } from './fulfilment/cancel-order.controller.ts';
import { ProcessManager } from './fulfilment/process-manager.ts';
import { Settlement } from './fulfilment/settlement.ts';
import { CrashInjection } from './injection/crash.ts';
import { Faults } from './injection/faults.ts';
import { Notifications } from './notifications/notifications.ts';
import { RecordingSmsProvider, SmsProvider } from './notifications/sms.ts';
import { QUEUES } from './queues.ts';
import { Orders } from './reading/orders.ts';
import { ReadingController } from './reading/reading.controller.ts';
import { migrations } from './schema/migrations.ts';
import { rolesOf } from './settings/roles.ts';
import type { Settings } from './settings/settings.ts';
import { seedArticles } from './stock/seed.ts';
import { VerificationController } from './verification/verification.controller.ts';
import { VersionHeader } from './version-header.ts';

/** The service in the roles that its settings name. */
@Module({})
export class OrderDemoModule {
  static of(settings: Settings): DynamicModule {
    const roles = rolesOf(settings.ROLE);
    const api = roles.has('api');
    return {
      module: OrderDemoModule,
      imports: [persistence(settings), messaging(settings)],
      controllers: api ? apiControllers : [],
      providers: [
        ...(api ? apiProviders(settings) : []),
        ...messageProviders(settings),
        seeding(settings),
        VersionHeader,
      ],
    };
  }
}

const apiControllers: Type[] = [ReadingController, CancelOrderController, VerificationController];

const persistence = (settings: Settings) =>
  PersistenceModule.forRootAsync({
    useFactory: async () => ({
      url: settings.DATABASE_URL,
      name: 'order-demo',
      migrations,
      poolSize: settings.DATABASE_POOL_SIZE,
      log: logger('database'),
    }),
  });

/** Every process knows all queues, so that they are there before the first message; it consumes only its roles' own. */
const messaging = (settings: Settings) =>
  MessagingModule.forRootAsync({
    inject: [Database],
    useFactory: (database: Database) => ({
      url: settings.AMQP_URL,
      service: 'order-demo',
      catalogue,
      database,
      exchange: settings.EXCHANGE,
      metrics: { counter, gauge, histogram },
      log: logger('messaging'),
      topology: QUEUES,
      relay: settings.OUTBOX_RELAY,
      queues: (queue: string) =>
        QUEUES.some((known) => known.queue === queue && rolesOf(settings.ROLE).has(known.role)),
    }),
  });

const apiProviders = (settings: Settings): Provider[] => [
  { provide: Orders, inject: [Database], useFactory: (database: Database) => new Orders(database) },
  {
    provide: Door,
    inject: [Database, CLOCK],
    useFactory: (database: Database, clock: Clock) =>
      new Door({
        store: new OrderStore({
          database,
          version: settings.APP_VERSION,
          retryMs: settings.ACCEPT_RETRY_MS,
          now: () => clock.now(),
        }),
        maxBatch: settings.ACCEPT_MAX_BATCH,
        maxWaiting: settings.ACCEPT_MAX_WAITING,
        lingerMs: settings.ACCEPT_LINGER_MS,
      }),
  },
  {
    provide: Faults,
    useFactory: () =>
      new Faults({
        errorRate: settings.INJECT_ERROR_RATE,
        latencyMs: settings.INJECT_LATENCY_MS,
        crashAfterSeconds: settings.INJECT_CRASH_AFTER_SECONDS,
        seed: settings.INJECT_SEED,
      }),
  },
  PlaceOrder,
  CrashInjection,
];

/** Whoever starts first fills the shelves; Nest makes every provider before the service listens. */
const seeding = (settings: Settings): Provider => ({
  provide: 'seeded articles',
  inject: [Database],
  useFactory: (database: Database) =>
    seedArticles(database, { articles: settings.SEED_ARTICLES, units: settings.SEED_STOCK }),
});

const messageProviders = (settings: Settings): Provider[] => [
  {
    provide: Settlement,
    inject: [Database, CLOCK],
    useFactory: (database: Database, clock: Clock) =>
      new Settlement({ database, deadlineMs: settings.ORDER_DEADLINE_SECONDS * 1000, now: () => clock.now() }),
  },
  {
    provide: SmsProvider,
    inject: [Database],
    useFactory: (database: Database) => new RecordingSmsProvider(database, { latencyMs: settings.SMS_LATENCY_MS }),
  },
  ProcessManager,
  Documents,
  Coupons,
  Notifications,
];
