import { certificatesApi } from '@keelson/contracts';
import { Database } from '@keelson/persistence';
import type { ServiceDefinition } from '@keelson/service-kit';
import { CertServiceModule, SERVICE } from './cert-service.module.ts';
import { ClockGuard } from './clock/clock-guard.ts';
import { configSchema } from './config.ts';

/** What {@link runService} needs, and what tests start inside their own process. */
export const definition: ServiceDefinition<typeof configSchema> = {
  name: SERVICE,
  version: '0.1.0',
  api: certificatesApi,
  config: configSchema,
  start: () => ({
    module: CertServiceModule,
    // The broker is not among them: while it is away certificates are issued all the same, and messages wait in the outbox.
    ready: (app) => {
      const database = app.get(Database);
      const guard = app.get(ClockGuard, { strict: false });
      return {
        database: () => database.ping(),
        clock: async () => {
          if (!guard.trusted) throw new Error(guard.reason());
        },
      };
    },
  }),
};
