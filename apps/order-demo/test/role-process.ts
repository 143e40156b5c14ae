import { createHash } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ManagedProcess, privateFolder, removePrivateFolder, startProcess } from '@keelson/testing';
import type { Role } from '../src/settings/roles.ts';

const main = join(import.meta.dirname, '../dist/main.js');

export const TOKEN = 'order-demo-test-token';
export const READER = 'order-demo-test-reader';
/** Of every team. */
export const OPERATOR = 'order-demo-test-operator';
/** Of another team, under the same name as TOKEN. */
export const NAMESAKE = 'order-demo-test-namesake';

export interface RoleOptions {
  role: Role | 'all';
  databaseUrl: string;
  amqpUrl: string;
  env?: Record<string, string>;
}

export interface RoleProcess extends ManagedProcess {
  readonly url: string;
}

/** Where the tests of one file keep their tokens; `remove` in afterAll. */
export function tokensFile(): { path: string; remove(): void } {
  const folder = privateFolder('order-demo-test');
  const path = join(folder, 'tokens.json');
  const entry = (name: string, team: string, token: string, scopes: string[]) => ({
    name,
    team,
    scopes,
    sha256: createHash('sha256').update(token).digest('hex'),
  });
  writeFileSync(
    path,
    JSON.stringify([
      entry('shop', 'shop', TOKEN, ['*']),
      entry('reader', 'other', READER, ['orders:read']),
      entry('shop', 'namesakes', NAMESAKE, ['*']),
      entry('operator', '*', OPERATOR, ['*']),
    ]),
  );
  return { path, remove: () => removePrivateFolder(folder) };
}

/** Starts one role as the built program, as a pod would, and waits until it is ready. */
export async function startRole(options: RoleOptions & { tokens: string }): Promise<RoleProcess> {
  if (!existsSync(main)) throw new Error(`${main} is missing: run \`npm run build\` before this test`);
  const started = await startProcess({
    name: `order-demo ${options.role}`,
    command: [process.execPath, '--enable-source-maps', main, `--role=${options.role}`],
    env: {
      DATABASE_URL: options.databaseUrl,
      AMQP_URL: options.amqpUrl,
      TOKENS_FILE: options.tokens,
      PORT: '0',
      NODE_OPTIONS: undefined,
      ...options.env,
    },
    ready: { line: /"msg":"listening"/ },
  });
  if (!started.url) throw new Error(`no URL in the ready line of ${options.role}: ${started.lastLines(3).join('\n')}`);
  return started as RoleProcess;
}
