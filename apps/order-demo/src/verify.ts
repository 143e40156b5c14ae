import { Database } from '@keelson/persistence';
import { ConfigError, EXIT_CONFIG, loadConfig } from '@keelson/service-kit';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { paymentProvider } from './payments/payment-provider.ts';
import { migrations } from './schema/migrations.ts';
import { settings } from './settings/settings.ts';
import { gatherEvidence } from './verification/evidence.ts';
import { judge, verdictLine } from './verification/rules.ts';

/**
 * `node dist/verify.js`: reads the database and says what is lost, doubled, stuck or negative, by id. Exit code 0 when
 * nothing is, 1 when something is, 78 for a configuration that cannot be used.
 */
const { DATABASE_URL, CONFIG_FILE, PAYMENT_URL, PAYMENT_TOKEN, PAYMENT_TIMEOUT_MS } = settings.shape;
const schema = z.object({
  DATABASE_URL,
  CONFIG_FILE,
  PAYMENT_URL,
  PAYMENT_TOKEN,
  PAYMENT_TIMEOUT_MS,
  ORDER_DEADLINE_SECONDS: settings.shape.ORDER_DEADLINE_SECONDS,
  GRACE_SECONDS: z.coerce.number().int().min(0).max(86_400).default(30).describe('an order may be open that long'),
  EXPECTED_IDS_FILE: z
    .string()
    .min(1)
    .optional()
    .describe('ids that were answered 202, one a line: each must be there'),
  FORMAT: z.enum(['text', 'json']).default('text'),
});

async function verify(): Promise<number> {
  const config = loadConfig(schema);
  const graceMs = config.GRACE_SECONDS * 1000;
  const expected = config.EXPECTED_IDS_FILE
    ? readFileSync(config.EXPECTED_IDS_FILE, 'utf8').split('\n').filter(Boolean)
    : [];
  const database = await Database.open({
    url: config.DATABASE_URL,
    name: 'order-demo verify',
    migrations,
  });
  try {
    const deadlineMs = config.ORDER_DEADLINE_SECONDS * 1000;
    const payments = paymentProvider(config, database);
    const verdict = judge(await gatherEvidence(database, { graceMs, payments, expected }), { graceMs, deadlineMs });
    if (config.FORMAT === 'json') process.stdout.write(`${JSON.stringify(verdict)}\n`);
    else {
      process.stdout.write(`${verdictLine(verdict)}\n`);
      for (const { kind, id, reason } of verdict.findings ?? []) process.stdout.write(`${kind}\t${id}\t${reason}\n`);
    }
    return verdict.ok ? 0 : 1;
  } finally {
    await database.close();
  }
}

try {
  process.exitCode = await verify();
} catch (error) {
  process.stderr.write(`verify: ${(error as Error).message}\n`);
  process.exitCode = error instanceof ConfigError ? EXIT_CONFIG : 1;
}
