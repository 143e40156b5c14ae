import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Database, PersistenceModule } from '@keelson/persistence';
import { eventually } from '@keelson/testing';
import type { Payload } from '@keelson/contracts';
import { inboxMigrations, Messaging, outbox, outboxMigrations } from '../src/index.ts';
import {
  MessagingModule,
  Subscribe,
  SubscribeBatch,
  type BatchHandlerContext,
  type HandlerContext,
} from '../src/nest/index.ts';
import { catalogue, orderPlaced, orderShipped } from './messages.ts';
import { memoryLog, Workbench } from './service.ts';

const seen: { method: string; id: string; inTransaction: boolean; attempt: number; aborted: boolean }[] = [];
const note = (method: string, context: HandlerContext): void => {
  const { message, tx, attempt, signal } = context;
  seen.push({ method, id: message.id, inTransaction: tx !== undefined, attempt, aborted: signal.aborted });
};

@Injectable()
class Warehouse {
  readonly #name = 'warehouse';

  @Subscribe(orderPlaced, { queue: 'nest.warehouse' })
  async placed(_payload: Payload<typeof orderPlaced>, context: HandlerContext<typeof orderPlaced>): Promise<void> {
    note(`${this.#name}.placed`, context);
  }

  @Subscribe(orderShipped, { queue: 'nest.warehouse' })
  async shipped(_payload: Payload<typeof orderShipped>, context: HandlerContext<typeof orderShipped>): Promise<void> {
    note(`${this.#name}.shipped`, context);
  }
}

@Injectable()
class Elsewhere {
  @Subscribe(orderPlaced, { queue: 'nest.elsewhere' })
  async placed(): Promise<void> {
    seen.push({ method: 'elsewhere', id: '', inTransaction: false, attempt: 0, aborted: false });
  }
}

@Injectable()
class Ledger {
  @SubscribeBatch(orderShipped, { queue: 'nest.ledger', size: 10 })
  async shipped(payloads: readonly Payload<typeof orderShipped>[]): Promise<void> {
    for (const { orderId } of payloads)
      seen.push({ method: 'ledger', id: `shipped ${orderId}`, inTransaction: true, attempt: 1, aborted: false });
  }

  @SubscribeBatch(orderPlaced, { queue: 'nest.ledger', size: 10 })
  async placed(
    payloads: readonly Payload<typeof orderPlaced>[],
    { messages, tx, signal }: BatchHandlerContext<typeof orderPlaced>,
  ): Promise<void> {
    for (const [index, { orderId }] of payloads.entries()) {
      const id = `${orderId} ${messages[index]?.id}`;
      seen.push({ method: 'ledger', id, inTransaction: tx !== undefined, attempt: 1, aborted: signal.aborted });
    }
  }
}

@Injectable()
class Sharing {
  @SubscribeBatch(orderPlaced, { queue: 'nest.sharing' })
  async many(): Promise<void> {}

  @Subscribe(orderShipped, { queue: 'nest.sharing' })
  async one(): Promise<void> {}
}

@Injectable()
class Contradicting {
  @Subscribe(orderPlaced, { queue: 'nest.contradicting', concurrency: 1 })
  async one(): Promise<void> {}

  @Subscribe(orderShipped, { queue: 'nest.contradicting', concurrency: 2 })
  async other(): Promise<void> {}
}

describe('the Nest module', () => {
  let bench: Workbench;
  beforeAll(async () => (bench = await Workbench.open()));
  beforeEach(() => void (seen.length = 0));
  afterAll(() => bench.close());

  const application = async (...providers: (new () => object)[]) => {
    @Module({
      imports: [
        PersistenceModule.forRootAsync({
          useFactory: () => ({
            url: bench.databaseUrl,
            name: 'nest',
            migrations: [...outboxMigrations, ...inboxMigrations],
          }),
        }),
        MessagingModule.forRootAsync({
          inject: [Database],
          useFactory: (database: Database) => ({
            url: bench.vhost.amqpUrl,
            service: 'nest',
            catalogue,
            database,
            log: memoryLog(),
            queues: (queue: string) => queue !== 'nest.elsewhere',
          }),
        }),
      ],
      providers,
    })
    class App {}
    return NestFactory.createApplicationContext(App, { logger: false });
  };

  test('hands messages to @Subscribe methods with payload and context, several on one queue, in their transaction', async () => {
    const app = await application(Warehouse, Elsewhere);
    const messaging = app.get(Messaging);
    await app.get(Database).transaction(async (tx) => {
      await outbox(
        tx,
        orderPlaced,
        { orderId: 'o', amount: 1 },
        { aggregate: 'o', id: '0197d3c2-0000-7000-8000-000000000001' },
      );
      await outbox(tx, orderShipped, { orderId: 'o' }, { aggregate: 'o', id: '0197d3c2-0000-7000-8000-000000000002' });
    });
    await eventually(() => seen.length === 2);
    await messaging.settled();
    expect(seen.toSorted((one, other) => one.id.localeCompare(other.id))).toEqual([
      {
        method: 'warehouse.placed',
        id: '0197d3c2-0000-7000-8000-000000000001',
        inTransaction: true,
        attempt: 1,
        aborted: false,
      },
      {
        method: 'warehouse.shipped',
        id: '0197d3c2-0000-7000-8000-000000000002',
        inTransaction: true,
        attempt: 1,
        aborted: false,
      },
    ]);
    await app.close();
  });

  test('hands many messages to @SubscribeBatch methods in one transaction, which share their queue with no @Subscribe method', async () => {
    const app = await application(Ledger);
    const messaging = app.get(Messaging);
    const orders = ['one', 'two', 'three'];
    await messaging.publishMany(
      orders.map((id) => ({ definition: orderPlaced, payload: { orderId: id, amount: 1 }, options: { id } })),
    );
    await messaging.publish(orderShipped, { orderId: 'one' });
    await messaging.settled();
    expect(seen.map(({ id }) => id).toSorted()).toEqual(['one one', 'shipped one', 'three three', 'two two']);
    expect(seen.every(({ inTransaction, aborted }) => inTransaction && !aborted)).toBe(true);
    await app.close();
    await expect(application(Sharing).then((one) => one.init())).rejects.toThrow(
      /queue nest.sharing has @Subscribe and @SubscribeBatch/,
    );
  });

  test('consumes only the queues this program is for', async () => {
    const app = await application(Warehouse, Elsewhere);
    expect(
      app
        .get(Messaging)
        .health()
        .consumers.map(({ queue }) => queue),
    ).toEqual(['nest.warehouse']);
    await app.close();
  });

  test('refuses methods of one queue that disagree, naming both', async () => {
    await expect(application(Contradicting).then((app) => app.init())).rejects.toThrow(
      /queue nest.contradicting disagree: .*1.* and .*2/,
    );
  });

  test('closes messaging before the database', async () => {
    const app = await application(Warehouse);
    const messaging = app.get(Messaging);
    await app.close();
    expect(messaging.health()).toMatchObject({ publishing: { state: 'closed' }, consumers: [] });
  });
});
