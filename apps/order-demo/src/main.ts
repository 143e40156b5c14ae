import { messagesApi, ordersApi } from '@keelson/contracts';
import { Messaging } from '@keelson/messaging';
import { Database } from '@keelson/persistence';
import { type Probes, runService } from '@keelson/service-kit';
import type { INestApplication } from '@nestjs/common';
import { OrderDemoModule } from './order-demo.module.ts';
import { settingsFromFlags } from './settings/flags.ts';
import { rolesOf } from './settings/roles.ts';
import { type Settings, settings } from './settings/settings.ts';

/** The checks of /readyz. The api role does without the broker: orders go on being accepted, the outbox holds them. */
const readiness =
  (config: Settings) =>
  (app: INestApplication): Probes => {
    const database = async () => app.get(Database).ping();
    if (rolesOf(config.ROLE).has('api')) return { database };
    const broker = async () => {
      const { healthy, publishing, consuming } = app.get(Messaging).health();
      if (!healthy) throw new Error(`publishing: ${publishing.state}, consuming: ${consuming.state}`);
    };
    return { database, broker };
  };

try {
  Object.assign(process.env, settingsFromFlags(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`order-demo: ${(error as Error).message}\n`);
  process.exit(64); // EX_USAGE, sysexits.h
}

await runService({
  name: 'order-demo',
  version: process.env['APP_VERSION'] ?? '0.1.0',
  config: settings,
  api: [ordersApi, messagesApi],
  start: (config) => {
    const api = rolesOf(config.ROLE).has('api') ? [ordersApi, messagesApi] : { ...ordersApi, endpoints: {} };
    return { module: OrderDemoModule.of(config), ready: readiness(config), version: config.APP_VERSION, api };
  },
});
