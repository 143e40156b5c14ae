import type { Certificate, RevocationReason } from '@keelson/contracts';
import { revocationReason } from '@keelson/contracts';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { readFileSync, writeFileSync } from 'node:fs';
import type { Run } from '../command.ts';
import { EXIT, Failure } from '../failure.ts';
import { until } from '../output/age.ts';
import type { Column } from '../output/table.ts';
import { readAll } from './read-all.ts';

/** `keelson cert ...` */
export function addCert(program: Command, run: Run): void {
  const cert = program.command('cert').description('certificates');

  cert
    .command('issue')
    .description('have a certificate signing request signed; the chain goes to stdout or --out')
    .requiredOption('--csr <path>', 'PEM or DER; - reads standard input')
    .addOption(new Option('--profile <name>', 'what it is for').choices(['server', 'client', 'peer']).default('server'))
    .option('--lifetime <duration>', 'such as 12h or 90d; the policy decides where absent', parseDuration)
    .option('--out <path>', 'write the chain (PEM, leaf first) there')
    .action(
      run(
        async (
          { settings, print },
          options: { csr: string; profile: 'server' | 'client' | 'peer'; lifetime?: number; out?: string },
        ) => {
          const bytes = readFileSync(options.csr === '-' ? 0 : options.csr);
          const csr = bytes.includes('-----BEGIN') ? bytes.toString('utf8') : bytes.toString('base64');
          const issued = await settings.client('cert-service').issueCertificate({
            body: { csr, profile: options.profile, lifetimeSeconds: options.lifetime },
          });
          if (options.out !== undefined) writeFileSync(options.out, issued.chain);
          else if (print.format === 'table' || print.format === 'wide') print.text(issued.chain);
          if (print.isJson || print.format === 'yaml' || print.format === 'name')
            print.object(issued, { text: '', name: issued.id });
          print.say(`issued ${issued.id}, serial ${issued.serial}, valid until ${issued.notAfter}`);
        },
      ),
    );

  cert
    .command('list')
    .description('certificates, newest first')
    .option('--name <text>', 'subject or alternative name that contains this')
    .addOption(new Option('--state <state>').choices(['valid', 'revoked', 'expired']))
    .option('--expires-within <duration>', 'such as 30d', parseDuration)
    .action(
      run(
        async (
          { settings, print, now },
          options: { name?: string; state?: Certificate['state']; expiresWithin?: number },
        ) => {
          const client = settings.client('cert-service');
          const { expiresWithin, ...filter } = options;
          const expiresBefore =
            expiresWithin === undefined ? undefined : new Date(now().getTime() + expiresWithin * 1000).toISOString();
          const rows = await readAll((cursor) =>
            client.listCertificates({ query: { ...filter, expiresBefore, cursor, limit: 200 } }),
          );
          print.rows(rows, { columns: columns(now()), name: (row) => row.id, empty: 'no certificates match' });
        },
      ),
    );

  cert
    .command('get')
    .description('one certificate with its chain')
    .argument('<id>')
    .action(
      run(async ({ settings, print }, _options: object, id: string) => {
        const found = await settings.client('cert-service').getCertificate({ params: { id } });
        print.object(found, { text: found.chain, name: found.id });
      }),
    );

  cert
    .command('revoke')
    .description('revoke a certificate; revoking it again changes nothing')
    .argument('<id>')
    .addOption(
      new Option('--reason <reason>', 'RFC 5280, 5.3.1').choices(revocationReason.options).default('unspecified'),
    )
    .option('--yes', 'do it without asking')
    .action(
      run(async ({ settings, print }, options: { reason: RevocationReason; yes?: boolean }, id: string) => {
        // A revocation cannot be undone (but for a hold), and a wrong id costs an outage.
        if (!options.yes)
          throw new Failure(`this cannot be undone; to revoke ${id} repeat the command with --yes`, EXIT.usage);
        const revoked = await settings
          .client('cert-service')
          .revokeCertificate({ params: { id }, body: { reason: options.reason } });
        print.object(revoked, {
          text: `revoked ${revoked.id} (serial ${revoked.serial}): ${revoked.revocationReason}`,
          name: revoked.id,
        });
      }),
    );
}

const columns = (now: Date): Column<Certificate>[] => [
  { title: 'id', value: (row) => row.id },
  { title: 'names', value: (row) => [...row.dnsNames, ...row.ipAddresses].join(',') || row.subject },
  { title: 'state', value: (row) => row.state },
  { title: 'expires in', value: (row) => until(row.notAfter, now) },
  { title: 'profile', value: (row) => row.profile },
  { title: 'serial', value: (row) => row.serial, wide: true },
  { title: 'key', value: (row) => row.keyType, wide: true },
  { title: 'team', value: (row) => row.team, wide: true },
  { title: 'not after', value: (row) => row.notAfter, wide: true },
];

const UNITS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** `12h`, `90d` as seconds. */
export function parseDuration(text: string): number {
  const match = /^(\d+)([smhd])$/.exec(text);
  if (!match) throw new InvalidArgumentError('expected a number with s, m, h or d, such as 12h or 90d');
  return Number(match[1]) * UNITS[match[2] as keyof typeof UNITS];
}
