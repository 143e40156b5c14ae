import { SCOPES } from '@keelson/contracts';
import { InvalidArgumentError, type Command } from 'commander';
import { createHash, randomBytes } from 'node:crypto';
import type { Run } from '../command.ts';

/** `keelson token create`: a token for its holder, and the entry with its hash for the services' TOKENS_FILE. */
export function addToken(program: Command, run: Run): void {
  program
    .command('token')
    .description('credentials of the HTTP APIs')
    .command('create')
    .description('make a token: the token goes to stderr, its entry for TOKENS_FILE (hash only) to stdout')
    .requiredOption('--name <name>', 'who it is for')
    .requiredOption('--team <team>', 'whose objects it sees; * is every team')
    .requiredOption('--scopes <list>', `comma-separated; * is all of: ${SCOPES.join(', ')}`, parseScopes)
    .action(
      run(async ({ print }, options: { name: string; team: string; scopes: string[] }) => {
        const token = `keelson_${randomBytes(24).toString('base64url')}`;
        const entry = { ...options, sha256: createHash('sha256').update(token).digest('hex') };
        print.say(`token (shown once): ${token}`);
        print.text(JSON.stringify(entry));
      }),
    );
}

function parseScopes(text: string): string[] {
  const scopes = text.split(',').map((scope) => scope.trim());
  const unknown = scopes.find((scope) => scope !== '*' && !(SCOPES as readonly string[]).includes(scope));
  if (unknown !== undefined)
    throw new InvalidArgumentError(`there is no scope "${unknown}"; allowed: *, ${SCOPES.join(', ')}`);
  return scopes;
}
