import { type DynamicModule, Module, type Provider, type Type } from '@nestjs/common';
import { catalogue } from '@keelson/contracts';
import { MessagesHttpModule } from '@keelson/messaging/http';
import { MessagingModule } from '@keelson/messaging/nest';
import { Database, PersistenceModule } from '@keelson/persistence';
import { CLOCK, type Clock, counter, gauge, histogram, logger } from '@keelson/service-kit';
import { Door } from './accepting/door.ts';
import { OrderStore } from './accepting/order-store.ts';
import { PlaceNow } from './accepting/place-now.ts';
import { PlaceOrder } from './accepting/place-order.ts';
import { Coupons } from './coupons/coupons.ts';
import { Documents } from './documents/documents.ts';
import { InvoiceController } from './documents/invoice.controller.ts';
import { NotModified } from './documents/not-modified.ts';
import { CancelOrderController } from './fulfilment/cancel-order.controller.ts';
import { OrderSagas } from './fulfilment/order-sagas.ts';
import { ProcessManager } from './fulfilment/process-manager.ts';
import { Settlement } from './fulfilment/settlement.ts';
import { CrashInjection } from './injection/crash.ts';
import { failing, Faults } from './injection/faults.ts';
import { Notifications } from './notifications/notifications.ts';
import { RecordingSmsProvider, SmsProvider } from './notifications/sms.ts';
import { paymentProvider } from './payments/payment-provider.ts';
import { Payments } from './payments/payments.ts';
import { PaymentProvider } from './payments/provider.ts';
import { belongsTo, QUEUES, REQUEST_QUEUES } from './queues.ts';
import { CustomerAccounts, CustomersController } from './reading/customers.ts';
import { Orders } from './reading/orders.ts';
import { ReadingController } from './reading/reading.controller.ts';
import { SagaController } from './reading/saga.controller.ts';
import { migrations } from './schema/migrations.ts';
import { rolesOf } from './settings/roles.ts';
import type { Settings } from './settings/settings.ts';
import { PriceCache } from './stock/price-cache.ts';
import { PriceController } from './stock/price.controller.ts';
import { QuoteController, Quotes } from './stock/quotes.ts';
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
      imports: [persistence(settings), messaging(settings), ...(api ? [MessagesHttpModule] : [])],
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

const apiControllers: Type[] = [
  ReadingController,
  SagaController,
  InvoiceController,
  CustomersController,
  PriceController,
  QuoteController,
  CancelOrderController,
  VerificationController,
];

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
      managementUrl: settings.AMQP_MANAGEMENT_URL,
      topologyMode: settings.AMQP_TOPOLOGY,
      service: 'order-demo',
      catalogue,
      database,
      exchange: settings.EXCHANGE,
      metrics: { counter, gauge, histogram },
      log: logger('messaging'),
      topology: [...QUEUES, ...REQUEST_QUEUES],
      relay: settings.OUTBOX_RELAY,
      scheduler: rolesOf(settings.ROLE).has('coupons'),
      queues: (name: string) => belongsTo(name, rolesOf(settings.ROLE)),
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
        burstMs: settings.ACCEPT_BURST_MS,
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
  PlaceNow,
  PlaceOrder,
  NotModified,
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
    provide: OrderSagas,
    inject: [CLOCK],
    useFactory: (clock: Clock) =>
      new OrderSagas({ deadlineMs: settings.ORDER_DEADLINE_SECONDS * 1000, now: () => clock.now() }),
  },
  {
    provide: Settlement,
    inject: [Database, OrderSagas],
    useFactory: (database: Database, sagas: OrderSagas) => new Settlement({ database, sagas }),
  },
  {
    provide: PaymentProvider,
    inject: [Database],
    useFactory: (database: Database) => paymentProvider(settings, database),
  },
  {
    provide: SmsProvider,
    inject: [Database],
    useFactory: (database: Database) =>
      new RecordingSmsProvider(database, {
        latencyMs: settings.SMS_LATENCY_MS,
        fails: failing(settings.SMS_ERROR_RATE, settings.INJECT_SEED),
      }),
  },
  ProcessManager,
  Payments,
  Documents,
  Coupons,
  Notifications,
  CustomerAccounts,
  PriceCache,
  Quotes,
];
