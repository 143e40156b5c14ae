import { certificatesApi } from '@keelson/contracts';
import { systemClock, type Clock, type ServiceDefinition, type ServiceOptions } from '@keelson/service-kit';
import { CertServiceModule, SERVICE } from './cert-service.module.ts';
import { configSchema, type Config } from './config.ts';
import { prepare } from './prepare.ts';

/** The parts of the service by its configuration; the database is open and the authority there when it resolves. */
export async function partsOf(
  config: Config,
  clock: Clock = systemClock,
): Promise<Pick<ServiceOptions, 'module' | 'ready' | 'close' | 'clock'>> {
  const prepared = await prepare(config, clock, SERVICE);
  const { database, guard } = prepared;
  return {
    module: CertServiceModule.with(prepared),
    clock,
    // The broker is not among them: while it is away certificates are issued all the same, and messages wait in the outbox.
    ready: {
      database: () => database.ping(),
      clock: () => (guard.trusted ? Promise.resolve() : Promise.reject(new Error(guard.reason()))),
    },
    close: [() => database.close()],
  };
}

/** What `runService` needs. */
export const definition: ServiceDefinition<typeof configSchema> = {
  name: SERVICE,
  version: '0.1.0',
  api: certificatesApi,
  config: configSchema,
  start: (config) => partsOf(config),
};
