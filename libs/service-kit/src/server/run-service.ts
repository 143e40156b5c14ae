import type { z } from 'zod';
import type { BaseConfig } from '../config/define-config.ts';
import { runProcess } from './run-process.ts';
import { type ServiceOptions, startService } from './start-service.ts';

/** What a service is made of once its configuration is known. */
export type ServiceParts = Omit<ServiceOptions, 'name' | 'version' | 'config' | 'api'> &
  Partial<Pick<ServiceOptions, 'version' | 'api'>>;

export interface ServiceDefinition<Schema extends z.ZodObject> extends Pick<
  ServiceOptions,
  'name' | 'version' | 'api'
> {
  /** From {@link defineConfig}. */
  readonly config: Schema;
  /** Makes the service out of its configuration; it may open connections first, and narrow what it offers (roles). */
  readonly start: (config: z.output<Schema>) => ServiceParts | Promise<ServiceParts>;
}

/** The whole of a service's main.ts; exit codes are those of {@link runProcess}. */
export async function runService<Schema extends z.ZodObject>(definition: ServiceDefinition<Schema>): Promise<void> {
  await runProcess({
    name: definition.name,
    config: definition.config,
    start: async (config) =>
      await startService({
        ...definition,
        ...(await definition.start(config)),
        config: config as unknown as BaseConfig,
      }),
  });
}
