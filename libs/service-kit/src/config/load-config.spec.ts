import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { z } from 'zod';
import { ConfigError, defineConfig, flag, json, list, loadConfig, secret } from '../index.ts';

const folder = mkdtempSync(join(tmpdir(), 'keelson-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string, content: string): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

const minimal = { DATABASE_URL: 'postgres://u:hunter2@h/d', AMQP_URL: 'amqp://g:hunter2@h' };
const schema = defineConfig({
  SERVICE_TOKEN: z.string().min(8).optional(),
  ENCRYPTION: secret(z.string().min(16)).optional(),
  RETRIES: z.coerce.number().int().max(5).default(3),
  DRY_RUN: flag().default(false),
  DOMAINS: list(z.string()).default([]),
  SINKS: json(z.array(z.strictObject({ url: z.url() }))).default([]),
});

const faultsOf = (environment: Record<string, string>): string => {
  try {
    loadConfig(schema, environment);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).exitCode).toBe(78);
    return (error as Error).message;
  }
  return '';
};

test('takes the environment first, then the file, then the defaults', () => {
  const path = file('layers.yaml', 'PORT: 1111\nLOG_LEVEL: warn\nDOMAINS: [a.example, b.example]\n');
  const config = loadConfig(schema, { ...minimal, CONFIG_FILE: path, PORT: '2222' });
  expect([config.PORT, config.LOG_LEVEL, config.HOST]).toEqual([2222, 'warn', '127.0.0.1']);
  expect(config.DOMAINS).toEqual(['a.example', 'b.example']);
});

test('lists every fault at once, with the value and what is allowed', () => {
  const message = faultsOf({
    AMQP_URL: 'http://h',
    PORT: '70000',
    LOG_LEVEL: 'loud',
    RETRIES: '9',
    DRY_RUN: 'perhaps',
  });
  expect(message).toContain('6 faults in the configuration');
  expect(message).toContain('DATABASE_URL: is missing (PostgreSQL database of this service)');
  expect(message).toMatch(/PORT: is "70000"; .*65535/);
  expect(message).toContain('LOG_LEVEL: is "loud"; allowed: trace, debug, info, warn, error, fatal, silent');
  expect(message).toMatch(/RETRIES: is "9"; .*5/);
  expect(message).toContain('DRY_RUN: is "perhaps"');
  expect(message).toMatch(/AMQP_URL: .*amqp:\/\/ or amqps:\/\//);
});

test('never shows a secret, neither one that is marked nor one that is called so', () => {
  const message = faultsOf({
    DATABASE_URL: 'mysql://root:hunter2@h',
    AMQP_URL: 'hunter2',
    SERVICE_TOKEN: 'hunter2',
    ENCRYPTION: 'hunter2',
  });
  expect(message).toContain('4 faults');
  expect(message).not.toContain('hunter2');
});

test('never shows the password in a URL that is no secret by itself', () => {
  const message = faultsOf({ ...minimal, OTEL_EXPORTER_OTLP_ENDPOINT: 'ftp://root:hunter2@h/x' });
  expect(message).toContain('OTEL_EXPORTER_OTLP_ENDPOINT: is "ftp://[not shown]@h/x"; must be a URL');
  expect(message).not.toContain('hunter2');
});

test('refuses a key of the file that it does not know, and says which one was meant', () => {
  const path = file('typo.yaml', 'RETRYS: 2\nCOLOUR: red\n');
  const message = faultsOf({ ...minimal, CONFIG_FILE: path });
  expect(message).toContain('RETRYS: is not a key of this service (in CONFIG_FILE); did you mean RETRIES?');
  expect(message).toMatch(/COLOUR: is not a key of this service \(in CONFIG_FILE\)$/m);
});

test('reads a secret from the file that NAME_FILE names, without its last line break', () => {
  const path = file('token', 'correct horse\n');
  expect(loadConfig(schema, { ...minimal, SERVICE_TOKEN_FILE: path }).SERVICE_TOKEN).toBe('correct horse');
});

test('refuses a secret that is given twice, and one whose file is not there', () => {
  const twice = faultsOf({ ...minimal, SERVICE_TOKEN: 'long enough', SERVICE_TOKEN_FILE: file('t', 'x') });
  expect(twice).toContain('SERVICE_TOKEN: is given twice, here and by SERVICE_TOKEN_FILE; leave one out');
  const gone = faultsOf({ AMQP_URL: 'amqp://h', DATABASE_URL_FILE: join(folder, 'gone') });
  expect(gone).toContain('1 fault in the configuration');
  expect(gone).toContain('DATABASE_URL: the file that DATABASE_URL_FILE names cannot be read');
});

test('points into a structured value', () => {
  const message = faultsOf({ ...minimal, SINKS: '[{"url":"https://a.example"},{"url":"nowhere"}]' });
  expect(message).toMatch(/SINKS\[1\]\["url"\]: is "nowhere"/);
  expect(faultsOf({ ...minimal, SINKS: '[' })).toContain('SINKS: is "["; must be JSON');
});

test.each([
  { name: 'a list at its top level', content: '- a\n', says: 'must hold keys and values' },
  { name: 'broken YAML', content: 'a: [1\n', says: 'is not valid YAML' },
])('refuses a file with $name', ({ content, says }) => {
  expect(faultsOf({ ...minimal, CONFIG_FILE: file('bad.yaml', content) })).toContain(says);
});

test('refuses a file that is not there', () => {
  expect(faultsOf({ ...minimal, CONFIG_FILE: join(folder, 'gone.yaml') })).toContain('CONFIG_FILE');
});

test('counts an empty variable as absent', () => {
  expect(loadConfig(schema, { ...minimal, RETRIES: '', SERVICE_TOKEN: '' }).RETRIES).toBe(3);
});

test('whatever stands in the environment, it either loads or tells all without showing a secret', () => {
  const value = fc.oneof(fc.string(), fc.constant('0'), fc.constant('true'), fc.constant('[]'));
  const environment = fc.record(
    { PORT: value, LOG_LEVEL: value, RETRIES: value, DRY_RUN: value, SINKS: value },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(environment, fc.uuid(), (variables, password) => {
      try {
        loadConfig(schema, { ...variables, DATABASE_URL: `postgres://u:${password}@h/d`, AMQP_URL: password });
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigError);
        expect((error as Error).message).not.toContain(password);
      }
    }),
  );
});
