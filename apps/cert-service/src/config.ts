import { defineConfig, list, secret, urlOf } from '@keelson/service-kit';
import { z } from 'zod';
import { DEFAULT_THRESHOLDS_SECONDS } from './expiry/thresholds.ts';
import type { KeyEncryptionSecret } from './keys/index.ts';

const seconds = (least: number, most: number) => z.coerce.number().int().min(least).max(most);

const units = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** A span of time: `30d`, `12h`, `90m`, `45s`, or a number of seconds. */
const span = z.union([z.number().int().min(1), z.string()]).transform((given, context) => {
  const match = /^(\d{1,9})([smhd]?)$/.exec(String(given));
  const value = match === null ? 0 : Number(match[1]) * units[(match[2] || 's') as keyof typeof units];
  if (value >= 1 && value <= 315_360_000) return value;
  context.addIssue({ code: 'custom', message: 'must be a span of time such as 30d, 12h, 90m, 45s or 3600 (seconds)' });
  return z.NEVER;
});

const isKey = (text: string): boolean =>
  /^[A-Za-z0-9+/]{43}=$/.test(text.trim()) && Buffer.from(text, 'base64').length === 32;

/** Configuration of cert-service; docs/cert-service/configuration.md has the same table (a test compares the two). */
export const configSchema = defineConfig({
  KEY_ENCRYPTION_KEY: secret(
    z.string().refine(isKey, { error: 'must be 32 random bytes in base64: openssl rand -base64 32' }).optional(),
  ).describe(
    'encrypts the private keys in the database (openssl rand -base64 32); this or KEY_ENCRYPTION_PASSPHRASE, each also as NAME_FILE',
  ),
  KEY_ENCRYPTION_PASSPHRASE: secret(
    z.string().min(12, { error: 'must have at least 12 characters' }).max(1024).optional(),
  ).describe('from which the key is derived by scrypt'),
  AUTHORITY_NAME: z
    .string()
    .min(1)
    .max(50)
    .default('Keelson')
    .describe('organization and first part of the common names of a new authority'),
  PUBLIC_URL: urlOf('http', 'https')
    .optional()
    .describe('where clients reach this service; certificates then name <PUBLIC_URL>/v1/crl as distribution point'),
  POLICY_FILE: z.string().min(1).optional().describe('YAML with what each team may ask for'),
  EXPIRY_THRESHOLDS: list(span)
    .default([...DEFAULT_THRESHOLDS_SECONDS])
    .describe('how long before its expiry a certificate is announced, such as 30d,14d,7d,1d'),
  EXPIRY_SCAN_SECONDS: seconds(1, 3600).default(30).describe('how often to look for certificates to announce'),
  CRL_LIFETIME_SECONDS: seconds(60, 2_592_000).default(86_400).describe('from thisUpdate to nextUpdate'),
  KUBECONFIG: z.string().min(1).optional().describe('cluster to deliver to; in a pod its service account is taken'),
  DELIVERY_NAMESPACES: list(z.string().min(1).max(63))
    .default([])
    .describe('namespaces that certificates may be delivered to; * for all'),
  DELIVERY_CHECK_SECONDS: seconds(1, 3600).default(60).describe('how often a delivered Secret is looked at'),
  CLOCK_SKEW_SECONDS: seconds(1, 86_400)
    .default(300)
    .describe('how far the clock may be from that of the database before nothing is signed any more'),
}).superRefine((given, context) => {
  const { KEY_ENCRYPTION_KEY: key, KEY_ENCRYPTION_PASSPHRASE: passphrase } = given;
  if ((key === undefined) !== (passphrase === undefined)) return;
  context.addIssue({
    code: 'custom',
    path: ['KEY_ENCRYPTION_KEY'],
    message:
      key === undefined
        ? 'give it, or KEY_ENCRYPTION_PASSPHRASE, or the path of a file as KEY_ENCRYPTION_KEY_FILE or KEY_ENCRYPTION_PASSPHRASE_FILE'
        : 'leave out either it or KEY_ENCRYPTION_PASSPHRASE',
  });
});

export type Config = z.output<typeof configSchema>;

/** What opens the keys at rest. */
export function keyEncryptionSecret(config: Config): KeyEncryptionSecret {
  if (config.KEY_ENCRYPTION_KEY !== undefined) {
    return { kind: 'key', key: Buffer.from(config.KEY_ENCRYPTION_KEY, 'base64') };
  }
  return { kind: 'passphrase', passphrase: config.KEY_ENCRYPTION_PASSPHRASE ?? '' };
}
