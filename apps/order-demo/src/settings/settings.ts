import { EXCHANGE } from '@keelson/contracts';
import { defineConfig, flag, secret, urlOf } from '@keelson/service-kit';
import { z } from 'zod';
import { ROLE_NAMES } from './roles.ts';

const whole = (min: number, max: number) => z.coerce.number().int().min(min).max(max);

/** What order-demo understands besides the keys of every service; docs/order-demo/configuration.md has the table. */
export const settings = defineConfig({
  ROLE: z.enum(ROLE_NAMES).default('all').describe('which part this process plays; also --role'),
  APP_VERSION: z
    .string()
    .regex(/^[\w.+-]{1,64}$/, 'must be 1 to 64 letters, digits and . + - _')
    .default('0.1.0')
    .describe('reported as acceptedBy and X-App-Version; also --app-version'),
  EXCHANGE: z.string().min(1).max(255).default(EXCHANGE).describe('topic exchange'),
  RATE_LIMIT_PER_SECOND: z.coerce
    .number()
    .min(0)
    .default(0)
    .describe('requests a second for each token; 0 is no limit, the queue at the door is bounded anyway'),

  SEED_STOCK: whole(0, 1_000_000_000).default(1_000_000).describe('units of each article at the first start'),
  SEED_ARTICLES: whole(1, 1000).default(8).describe('articles at the first start'),

  ACCEPT_MAX_BATCH: whole(1, 1000).default(128).describe('most orders written in one transaction'),
  ACCEPT_MAX_WAITING: whole(1, 100_000).default(512).describe('most orders that wait to be written; more get 429'),
  ACCEPT_BURST_MS: whole(1, 60_000)
    .default(100)
    .describe('a queue at the door that stands for longer is kept at one batch'),
  ACCEPT_LINGER_MS: whole(0, 100).default(0).describe('time to collect orders before each transaction'),
  ACCEPT_RETRY_MS: whole(0, 60_000)
    .default(2_000)
    .describe('how long an order is tried again while the database is away'),

  ORDER_DEADLINE_SECONDS: whole(1, 604_800).default(300).describe('an order not finished by then is compensated'),
  SWEEP_EVERY_MS: whole(50, 60_000)
    .default(500)
    .describe('how often inventory looks for deadlines and for stock to move'),
  DATABASE_POOL_SIZE: whole(4, 100).default(12).describe('connections to the database at most'),
  OUTBOX_RELAY: flag().default(true).describe('whether this process brings messages from the outbox to the broker'),
  PAYMENT_URL: urlOf('http', 'https')
    .optional()
    .describe('payment provider; without it payments are recorded in the database and no money moves'),
  PAYMENT_TOKEN: secret(z.string().min(1)).default('sk_demo_keelson').describe('what the payment provider knows us by'),
  PAYMENT_TIMEOUT_MS: whole(10, 60_000)
    .default(5_000)
    .describe('how long one request to the payment provider may take'),
  COUPON_VALID_SECONDS: whole(1, 315_360_000).default(7_776_000).describe('how long a coupon is good; 90 days'),
  SMS_LATENCY_MS: whole(0, 60_000).default(0).describe('time the built-in SMS provider takes'),
  SMS_ERROR_RATE: z.coerce.number().min(0).max(1).default(0).describe('share of SMS that it refuses'),

  INJECT_ERROR_RATE: z.coerce.number().min(0).max(1).default(0).describe('share of POST /v1/orders answered 500'),
  INJECT_LATENCY_MS: whole(0, 60_000).default(0).describe('time added to POST /v1/orders'),
  INJECT_CRASH_AFTER_SECONDS: z.coerce
    .number()
    .min(0)
    .max(86_400)
    .default(0)
    .describe('role api exits 1 after about that time; 0 is never'),
  INJECT_SEED: whole(0, 4_294_967_295)
    .default(1)
    .describe('seed of the injected faults, and of the SMS that are refused'),
});

export type Settings = z.output<typeof settings>;
