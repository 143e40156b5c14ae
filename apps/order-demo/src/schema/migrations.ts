import { inboxMigrations, outboxMigrations } from '@keelson/messaging';
import type { MigrationClass } from '@keelson/persistence';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { acceptOrders } from './accept-orders.sql.ts';
import { endOrders } from './end-orders.sql.ts';
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

/** The schema of order-demo, oldest first. */
export const migrations: readonly MigrationClass[] = [...outboxMigrations, ...inboxMigrations, Orders1790000001000];
