import { Global, Module } from '@nestjs/common';
import { Database } from '@keelson/persistence';
import { CLOCK, CONFIG, gauge, logger, type Clock } from '@keelson/service-kit';
import { ClockGuard } from '../clock/clock-guard.ts';
import { keyEncryptionSecret, type Config } from '../config.ts';
import { AuthorityController } from './authority.controller.ts';
import { openAuthority, type Authority } from './authority-store.ts';
import { AUTHORITY } from './authority.token.ts';

const log = logger('authority');

const notAfter = gauge({
  name: 'keelson_authority_not_after_timestamp_seconds',
  help: 'When a certificate of the authority itself expires',
  labelNames: ['certificate'],
});

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
  const { name, issuer } = authority;
  log.info({ authority: name, issuer: issuer.subject, notAfter: issuer.notAfter }, created ? 'created' : 'opened');
  return authority;
}

/** The authority of this service, opened (at the first start: made) before anything else begins. */
@Global()
@Module({
  controllers: [AuthorityController],
  providers: [
    {
      provide: ClockGuard,
      inject: [Database, CLOCK, CONFIG],
      useFactory: (database: Database, clock: Clock, config: Config) =>
        new ClockGuard({ database, clock, limitSeconds: config.CLOCK_SKEW_SECONDS }),
    },
    { provide: AUTHORITY, inject: [Database, CONFIG, CLOCK, ClockGuard], useFactory: open },
  ],
  exports: [AUTHORITY, ClockGuard],
})
export class AuthorityModule {}
