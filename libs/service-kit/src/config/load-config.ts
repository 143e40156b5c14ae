import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { closest } from './closest.ts';
import { ConfigError, type ConfigFault } from './config-error.ts';
import { readConfigFile } from './config-file.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Names whose values are taken for secret even where the schema does not say so. */
const SECRET_NAME = /(TOKEN|PASSWORD|PASSPHRASE|SECRET|CREDENTIALS?|PRIVATE_KEY|ENCRYPTION_KEY|DATABASE_URL|AMQP_URL)$/;

/**
 * Loads a configuration whole: environment first, then CONFIG_FILE, then defaults; a secret may stand in the file that
 * NAME_FILE names. An empty variable counts as absent.
 *
 * @throws ConfigError with every fault at once; it never shows a secret.
 */
export function loadConfig<Schema extends z.ZodObject>(
  schema: Schema,
  environment: Environment = process.env,
): z.output<Schema> {
  const faults: ConfigFault[] = [];
  const names = Object.keys(schema.shape);
  const fromFile = readConfigFile(environment['CONFIG_FILE'], faults);
  const values: Record<string, unknown> = {};

  for (const name of names) {
    const value = environment[name];
    if (value !== undefined && value !== '') values[name] = value;
    else if (fromFile[name] !== undefined && fromFile[name] !== null) values[name] = fromFile[name];
    if (isSecret(schema, name)) readSecret(name, names, environment, fromFile, values, faults);
  }
  refuseUnknown(schema, fromFile, faults);

  const result = schema.safeParse(values);
  if (!result.success) faults.push(...result.error.issues.flatMap((issue) => describeIssue(schema, issue, values)));
  // A secret whose file could not be read is absent as well; the first fault is the one to mend.
  const distinct = faults.filter(
    (fault, at) => faults.findIndex((other) => other.name === fault.name) === at || at === 0,
  );
  if (distinct.length > 0 || !result.success) throw new ConfigError(distinct);
  return result.data;
}

function isSecret(schema: z.ZodObject, name: string): boolean {
  return SECRET_NAME.test(name) || metaOf(schema, name, 'keelsonSecret') === true;
}

function readSecret(
  name: string,
  names: readonly string[],
  environment: Environment,
  fromFile: Record<string, unknown>,
  values: Record<string, unknown>,
  faults: ConfigFault[],
): void {
  const variable = `${name}_FILE`;
  if (names.includes(variable)) return; // the service gives NAME_FILE a meaning of its own
  const path = environment[variable] || fromFile[variable];
  if (path === undefined) return;
  if (typeof path !== 'string') {
    faults.push({ name: variable, detail: 'must be the path of a file' });
    return;
  }
  if (environment[name]) {
    faults.push({ name, detail: `is given twice, here and by ${variable}; leave one out` });
    return;
  }
  try {
    values[name] = readFileSync(path, 'utf8').trimEnd();
  } catch (error) {
    faults.push({ name, detail: `the file that ${variable} names cannot be read: ${(error as Error).message}` });
  }
}

function refuseUnknown(schema: z.ZodObject, fromFile: Record<string, unknown>, faults: ConfigFault[]): void {
  const known = Object.keys(schema.shape).flatMap((name) =>
    isSecret(schema, name) && !(`${name}_FILE` in schema.shape) ? [name, `${name}_FILE`] : [name],
  );
  for (const name of Object.keys(fromFile)) {
    if (known.includes(name)) continue;
    const suggestion = closest(name, known);
    faults.push({
      name,
      detail: `is not a key of this service (in CONFIG_FILE)${suggestion ? `; did you mean ${suggestion}?` : ''}`,
    });
  }
}

function describeIssue(schema: z.ZodObject, issue: z.core.$ZodIssue, values: Record<string, unknown>): ConfigFault[] {
  const top = String(issue.path[0] ?? '');
  const name = issue.path.map((part, at) => (at === 0 ? String(part) : `[${JSON.stringify(part)}]`)).join('');
  const description = metaOf(schema, top, 'description');
  const meaning = typeof description === 'string' ? ` (${description})` : '';
  if (!(top in values)) return [{ name: name || 'configuration', detail: `is missing${meaning}` }];
  const shown = isSecret(schema, top)
    ? 'its value (secret, not shown)'
    : withoutUserInfo(JSON.stringify(valueAt(values, issue.path)));
  return [{ name, detail: `is ${shown}; ${allowed(issue)}${meaning}` }];
}

/** A password may stand in any URL, also where none is wanted. */
const withoutUserInfo = (shown: string | undefined): string | undefined =>
  shown?.replaceAll(/(:\/\/)[^/?#"]*@/g, '$1[not shown]@');

function allowed(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_value') return `allowed: ${issue.values.map(String).join(', ')}`;
  if (issue.code === 'unrecognized_keys') return `unknown: ${issue.keys.join(', ')}`;
  return issue.message;
}

/** Something that was said about a key, also where `.optional()` or `.default()` wrap what it was said about. */
function metaOf(schema: z.ZodObject, name: string, key: string): unknown {
  let at = schema.shape[name] as z.ZodType | undefined;
  while (at !== undefined) {
    const found = at.meta()?.[key];
    if (found !== undefined) return found;
    at = (at.def as { innerType?: z.ZodType }).innerType;
  }
  return undefined;
}

function valueAt(values: unknown, path: readonly PropertyKey[]): unknown {
  let value = values;
  for (const part of path) {
    if (typeof value === 'string') value = parsed(value);
    if (value === null || typeof value !== 'object') return value;
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  return value;
}

/** A structured value of the environment is JSON text; whatever else it is stays as it is. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
