import { ensurePart } from '../packages/ensure-part.ts';
import { type Postgres, startPostgres } from '../postgres/server.ts';
import { type RabbitMq, startRabbitMq } from '../rabbitmq/server.ts';

/** A PostgreSQL of the test's own, which it may kill and restart. Stop it in afterAll. */
export function testPostgres(): Promise<Postgres> {
  return startPostgres();
}

/** A RabbitMQ of the test's own, which it may kill and restart. Stop it in afterAll. */
export async function testRabbitMq(): Promise<RabbitMq> {
  await ensurePart('rabbitmq');
  return startRabbitMq();
}
