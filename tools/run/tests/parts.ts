import { ensurePart, startPostgres, startRabbitMq } from '@keelson/testing';
import { step } from '../steps.ts';
import type { Suite } from './options.ts';

export interface TestParts {
  /** Tells the tests where they are. */
  env: Record<string, string>;
  stop(): Promise<void>;
}

/** Gets the parts that a suite needs, showing each, and starts those that all test files share. */
export async function startTestParts(suite: Suite, allowInstall: boolean): Promise<TestParts> {
  const started: { stop(): Promise<void> }[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(started.splice(0).map((part) => part.stop()));
  };
  const env: Record<string, string> = {};
  try {
    if (process.env['KEELSON_TEST_POSTGRES_URL'] === undefined) {
      const postgres = await step(
        'PostgreSQL',
        async () => {
          const server = await startPostgres();
          started.push(server);
          return server;
        },
        ({ version, port }) => `PostgreSQL ${version} on 127.0.0.1:${port}`,
      );
      env['KEELSON_TEST_POSTGRES_URL'] = postgres.adminUrl;
    }
    if (process.env['KEELSON_TEST_RABBITMQ_URL'] === undefined) {
      const rabbitMq = await step(
        'RabbitMQ',
        async ({ waiting }) => {
          await ensurePart('rabbitmq', { allowInstall, report: waiting });
          const server = await startRabbitMq();
          started.push(server);
          return server;
        },
        ({ version, amqpUrl }) => `RabbitMQ ${version} on ${new URL(amqpUrl).host}`,
      );
      env['KEELSON_TEST_RABBITMQ_URL'] = rabbitMq.amqpUrl;
      env['KEELSON_TEST_RABBITMQ_MANAGEMENT_URL'] = rabbitMq.managementUrl;
    }
    await step('Prometheus is installed', ({ waiting }) => ensurePart('prometheus', { allowInstall, report: waiting }));
    if (suite === 'parts') {
      await step('Java and Maven for Kafka are installed', ({ waiting }) =>
        ensurePart('kafka', { allowInstall, report: waiting }),
      );
      await step('Poppler is installed', ({ waiting }) => ensurePart('poppler', { allowInstall, report: waiting }));
      await step('Chromium is installed', ({ waiting }) => ensurePart('chromium', { allowInstall, report: waiting }));
    }
    return { env, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
