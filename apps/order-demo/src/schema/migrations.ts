import { inboxMigrations, outboxMigrations, scheduleMigrations } from '@keelson/messaging';
import { sagaMigrations } from '@keelson/messaging/saga';
import type { MigrationClass } from '@keelson/persistence';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { acceptOrders } from './accept-orders.sql.ts';
import { endOrders, endOrdersOfSagas } from './end-orders.sql.ts';
import { customerAccounts, invoices, payments } from './saga.sql.ts';
import { tables } from './tables.sql.ts';

class Orders1790000001000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(tables);
    await runner.query(acceptOrders);
    await runner.query(endOrders);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP FUNCTION accept_orders, decide_orders, demand_of, end_orders');
    await runner.query(
      'DROP TABLE sms_deliveries, notifications, coupons, documents, order_process, orders, document_series, articles',
    );
  }
}

/** Orders end through their sagas. A program from before would miss order_process. */
class OrderSagas1790000001010 implements MigrationInterface {
  static readonly breaking = true;

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(endOrdersOfSagas);
    await runner.query(payments);
  }

  async down(): Promise<void> {
    throw new Error('what order_process held is gone: restore a backup');
  }
}

class Invoices1790000001020 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(invoices);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE invoices');
  }
}

class Customers1790000001030 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(customerAccounts);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE customer_accounts');
    await runner.query('ALTER TABLE coupons DROP COLUMN expired_at');
  }
}

/** The schema of order-demo, oldest first. */
export const migrations: readonly MigrationClass[] = [
  ...outboxMigrations,
  ...inboxMigrations,
  Orders1790000001000,
  ...sagaMigrations,
  OrderSagas1790000001010,
  Invoices1790000001020,
  ...scheduleMigrations,
  Customers1790000001030,
];
