import { outboxMigrations } from '@keelson/messaging';
import { Database, idempotencyMigrations } from '@keelson/persistence';
import { ConfigError, gauge, logger, setLogLevel, type Clock } from '@keelson/service-kit';
import { openAuthority, type Authority } from './authority/authority-store.ts';
import { ClockGuard } from './clock/clock-guard.ts';
import { keyEncryptionSecret, type Config } from './config.ts';
import { Policies } from './issuance/policy-file.ts';
import { CertificateSchema1791000000001 } from './storage/schema.ts';

const log = logger('start');

const notAfter = gauge({
  name: 'keelson_authority_not_after_timestamp_seconds',
  help: 'When a certificate of the authority itself expires',
  labelNames: ['certificate'],
});

/** What has to be there, and right, before the service takes its first request. */
export interface Prepared {
  readonly database: Database;
  readonly guard: ClockGuard;
  readonly authority: Authority;
  readonly policies: Policies;
}

/**
 * Reads the policies, opens the database (waiting for it) and the authority (at the first start: makes it). Throws
 * ConfigError where the configuration does not fit what is there; then nothing is left open.
 */
export async function prepare(config: Config, clock: Clock, name: string): Promise<Prepared> {
  setLogLevel(config.LOG_LEVEL);
  const policies = await readPolicies(config);
  const database = await Database.open({
    url: config.DATABASE_URL,
    name,
    migrations: [...outboxMigrations, ...idempotencyMigrations, CertificateSchema1791000000001],
    log: logger('database'),
  });
  try {
    const guard = new ClockGuard({ database, clock, limitSeconds: config.CLOCK_SKEW_SECONDS });
    const authority = await open(database, config, clock, guard);
    return { database, guard, authority, policies };
  } catch (error) {
    await database.close();
    throw error;
  }
}

async function readPolicies({ POLICY_FILE: file }: Config): Promise<Policies> {
  if (file === undefined) {
    log.warn('POLICY_FILE is not set: every team may ask for any name, for up to 397 days');
    return Policies.stated();
  }
  try {
    return await Policies.fromFile(file);
  } catch (error) {
    throw new ConfigError([{ name: 'POLICY_FILE', detail: (error as Error).message }]);
  }
}

async function open(database: Database, config: Config, clock: Clock, guard: ClockGuard): Promise<Authority> {
  // A new authority must not be dated by a clock that is wrong: it could not be mended later.
  await guard.look();
  if (!guard.trusted) throw new Error(guard.reason());
  const { authority, created } = await openAuthority({
    database,
    secret: keyEncryptionSecret(config),
    name: config.AUTHORITY_NAME,
    now: clock.now(),
  });
  notAfter.set({ certificate: 'root' }, authority.rootNotAfter.getTime() / 1000);
  notAfter.set({ certificate: 'intermediate' }, authority.issuer.notAfter.getTime() / 1000);
  const { issuer } = authority;
  log.info(
    { authority: authority.name, issuer: issuer.subject, notAfter: issuer.notAfter },
    created ? 'authority created' : 'authority opened',
  );
  return authority;
}
