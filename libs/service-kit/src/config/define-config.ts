import { z } from 'zod';
import { baseShape, type BaseShape } from './base-config.ts';

type Merged<Shape extends z.ZodRawShape> = Omit<BaseShape, keyof Shape> & Shape;

/** The schema of a service's configuration: the base keys and its own. */
export type ConfigSchema<Shape extends z.ZodRawShape> = z.ZodObject<Merged<Shape>>;

/** The part of a loaded configuration that the kit itself uses. */
export type BaseConfig = z.output<
  z.ZodObject<Omit<BaseShape, 'DATABASE_URL' | 'AMQP_URL' | 'AMQP_MANAGEMENT_URL' | 'AMQP_TOPOLOGY'>>
>;

/**
 * Describes the configuration of a service. Keys are environment variables; a key of the base shape may be redefined
 * (`DATABASE_URL: databaseUrl.optional()`).
 */
export function defineConfig<const Shape extends z.ZodRawShape>(shape: Shape): ConfigSchema<Shape> {
  return z.object({ ...baseShape, ...shape });
}
