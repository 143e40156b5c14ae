import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { canariesApi, certificatesApi, createClient, EXCHANGE, type Scope } from '@keelson/contracts';
import { eventually, privateFolder, removePrivateFolder, startProcess } from '@keelson/testing';

const root = join(import.meta.dirname, '../../..');
/** Starts everything, on a machine that other tests keep busy. */
export const START_LIMIT_MS = 300_000;

/** The whole platform as `npm start` brings it up, with nothing played on it. */
export interface Platform {
  readonly consoleUrl: string;
  readonly token: string;
  readonly kubeconfig: string;
  readonly certificates: ReturnType<typeof createClient<typeof certificatesApi>>;
  readonly canaries: ReturnType<typeof createClient<typeof canariesApi>>;
  /** A new token that every service knows, for one team and with these scopes only. */
  tokenWith(scopes: readonly Scope[]): Promise<string>;
  /** Publishes an event past its service, so that it may break its contract. */
  publish(routingKey: string, payload: unknown, id: string): Promise<void>;
  /** The process id of a service, to stop and continue it. */
  pidOf(command: string): number;
  stop(): Promise<void>;
}

export async function startPlatform(): Promise<Platform> {
  const folder = privateFolder('console-parts');
  const file = join(folder, 'env');
  const stack = await startProcess({
    name: 'npm start',
    command: [
      join(root, 'node_modules/.bin/node'),
      '--conditions=keelson-source',
      '--disable-warning=ExperimentalWarning',
      '--',
      join(root, 'tools/stack/main.ts'),
      '--no-story',
      `--env-file=${file}`,
    ],
    cwd: root,
    // Of the test runner; a stack on its own has neither.
    env: { NODE_OPTIONS: undefined, KUBECONFIG: undefined, AMQP_URL: undefined },
    deathSignal: 'TERM',
  });
  const stop = async (): Promise<void> => {
    stack.kill('SIGINT');
    await stack.exited;
    removePrivateFolder(folder);
  };
  try {
    await eventually(() => existsSync(file) || !stack.running(), {
      withinMs: START_LIMIT_MS - 20_000,
      describe: 'the platform',
    });
    if (!existsSync(file)) throw new Error(`the platform did not start:\n${stack.lastLines(40).join('\n')}`);
  } catch (error) {
    await stop();
    throw error;
  }
  const values = Object.fromEntries(
    [...readFileSync(file, 'utf8').matchAll(/^(\w+)='([^']*)'$/gm)].map(([, name, value]) => [name!, value!]),
  );
  const need = (name: string): string => {
    const value = values[name];
    if (value === undefined) throw new Error(`the env file does not name ${name}`);
    return value;
  };
  const token = need('KEELSON_TOKEN');
  const consoleUrl = need('KEELSON_CONSOLE_URL');
  return {
    consoleUrl,
    token,
    kubeconfig: need('KUBECONFIG'),
    certificates: createClient(certificatesApi, { baseUrl: need('KEELSON_CERT_URL'), token }),
    canaries: createClient(canariesApi, { baseUrl: need('KEELSON_CANARY_URL'), token }),
    tokenWith: (scopes) => addToken(join(dirname(need('KEELSON_CA_FILE')), 'tokens.json'), consoleUrl, scopes),
    publish: (routingKey, payload, id) => publish(need('AMQP_MANAGEMENT_URL'), { routingKey, payload, id }),
    pidOf: (command) => pidBelow(stack.pid, command),
    stop,
  };
}

async function publish(
  managementUrl: string,
  { routingKey, payload, id }: { routingKey: string; payload: unknown; id: string },
): Promise<void> {
  const { origin, username, password } = new URL(managementUrl);
  const answer = await fetch(`${origin}/api/exchanges/%2F/${EXCHANGE}/publish`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` },
    body: JSON.stringify({
      routing_key: routingKey,
      payload: JSON.stringify(payload),
      payload_encoding: 'string',
      properties: {
        message_id: id,
        content_type: 'application/json',
        delivery_mode: 2,
        headers: {
          'cloudEvents:specversion': '1.0',
          'cloudEvents:id': id,
          'cloudEvents:source': 'console-test',
          'cloudEvents:type': `dev.keelson.${routingKey}`,
        },
      },
    }),
  });
  if (!answer.ok) throw new Error(`the broker answered ${answer.status}: ${await answer.text()}`);
  await answer.body?.cancel();
}

/** Adds an entry to the services' TOKENS_FILE; resolves when all of them have read it. */
async function addToken(file: string, consoleUrl: string, scopes: readonly Scope[]): Promise<string> {
  const token = `keelson_${randomBytes(24).toString('base64url')}`;
  const entries = JSON.parse(readFileSync(file, 'utf8')) as unknown[];
  const sha256 = createHash('sha256').update(token).digest('hex');
  writeFileSync(`${file}.new`, JSON.stringify([...entries, { name: 'visitor', team: '*', scopes, sha256 }]));
  renameSync(`${file}.new`, file);
  for (const key of ['certificates', 'events', 'canaries', 'orders']) {
    await eventually(
      async () => {
        const answer = await fetch(`${consoleUrl}/api/${key}/v1/whoami`, {
          headers: { authorization: `Bearer ${token}` },
        });
        await answer.body?.cancel();
        return answer.status === 200;
      },
      { everyMs: 200, describe: `the new token at ${key}` },
    );
  }
  return token;
}

/** The process below `pid` whose command line has this in it. */
function pidBelow(pid: number, command: string): number {
  const parents = new Map(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => {
        try {
          const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
          return [[Number(name), Number(stat.slice(stat.lastIndexOf(')') + 4).split(' ')[0])] as const];
        } catch {
          return []; // it ended while we looked
        }
      }),
  );
  const isBelow = (one: number): boolean => one === pid || (parents.has(one) && isBelow(parents.get(one)!));
  const found = [...parents.keys()].find(
    (one) => isBelow(one) && readFileSync(`/proc/${one}/cmdline`, 'utf8').includes(command),
  );
  if (found === undefined) throw new Error(`no process of the platform runs ${command}`);
  return found;
}
