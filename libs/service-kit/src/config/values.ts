import { z } from 'zod';

/**
 * Marks a value as secret: it is never printed, and `NAME_FILE` may name a file that holds it instead of `NAME`
 * holding it (the way Kubernetes and Docker mount secrets).
 */
export const secret = <Schema extends z.ZodType>(schema: Schema): Schema =>
  schema.meta({ ...schema.meta(), keelsonSecret: true });

/** A switch: true, 1, yes, on, or false, 0, no, off. (`z.coerce.boolean()` would take the text "false" for true.) */
export const flag = () =>
  z
    .preprocess((value) => (typeof value === 'string' ? value.trim().toLowerCase() : value), z.any())
    .pipe(
      z.union([z.boolean(), z.stringbool({ truthy: ['true', '1', 'yes', 'on'], falsy: ['false', '0', 'no', 'off'] })]),
    );

/** A structured value: as it is in CONFIG_FILE, as JSON text in the environment. */
export const json = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((value, context) => {
    if (typeof value !== 'string') return value;
    try {
      return JSON.parse(value) as unknown;
    } catch (error) {
      context.addIssue({ code: 'custom', message: `must be JSON (${(error as Error).message})` });
      return z.NEVER;
    }
  }, schema);

/** A list: as it is in CONFIG_FILE, separated by commas in the environment; empty parts are left out. */
export const list = <Schema extends z.ZodType>(item: Schema) =>
  z.preprocess(
    (value) =>
      typeof value === 'string'
        ? value
            .split(',')
            .map((part) => part.trim())
            .filter((part) => part !== '')
        : value,
    z.array(item),
  );
