import { existsSync, mkdirSync, readFileSync, renameSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { privateFolder, removePrivateFolder } from '../folders/private-folder.ts';
import { ensurePart } from '../packages/ensure-part.ts';
import { startPostgres } from '../postgres/server.ts';
import { startRabbitMq } from '../rabbitmq/server.ts';
import { eventually } from '../time/eventually.ts';

/**
 * One PostgreSQL and one RabbitMQ for a whole Jest run, started when the first test asks for them. Jest's workers are
 * processes of their own and cannot call the main one, so they ask by a file in a folder that both know
 * (KEELSON_TEST_PARTS_DIR) and find the answer in another. Where the environment already names a server
 * (KEELSON_TEST_POSTGRES_URL, KEELSON_TEST_RABBITMQ_URL with KEELSON_TEST_RABBITMQ_MANAGEMENT_URL) it is taken.
 */
export const environment = {
  postgres: 'KEELSON_TEST_POSTGRES_URL',
  rabbitmq: 'KEELSON_TEST_RABBITMQ_URL',
  rabbitmqManagement: 'KEELSON_TEST_RABBITMQ_MANAGEMENT_URL',
  folder: 'KEELSON_TEST_PARTS_DIR',
} as const;

interface Answers {
  postgres: { adminUrl: string };
  rabbitmq: { amqpUrl: string; managementUrl: string };
}

type Answer<T> = { error: string } | { value: T };

/** In the tests: the run's server, started if this is the first question for it. */
export async function sharedPart<Name extends keyof Answers>(name: Name): Promise<Answers[Name]> {
  const named = fromEnvironment()[name];
  if (named !== undefined) return named;
  const folder = process.env[environment.folder];
  if (folder === undefined) {
    throw new Error(
      `No ${name} for tests: neither ${environment[name]} nor ${environment.folder} is set. Run the tests by Jest with ` +
        'the settings of jest.preset.mjs (its global set-up sets them), or set the URL.',
    );
  }
  writeFileSync(join(folder, `${name}.wanted`), '');
  const file = join(folder, `${name}.json`);
  const text = await eventually(() => existsSync(file) && readFileSync(file, 'utf8'), {
    withinMs: 600_000,
    describe: `${name} for this test run`,
  });
  const answer = JSON.parse(text) as Answer<Answers[Name]>;
  if ('error' in answer) throw new Error(answer.error);
  return answer.value;
}

function fromEnvironment(): Partial<Answers> {
  const { [environment.postgres]: adminUrl } = process.env;
  const { [environment.rabbitmq]: amqpUrl, [environment.rabbitmqManagement]: managementUrl } = process.env;
  return {
    ...(adminUrl === undefined ? {} : { postgres: { adminUrl } }),
    ...(amqpUrl === undefined || managementUrl === undefined ? {} : { rabbitmq: { amqpUrl, managementUrl } }),
  };
}

/** In Jest's main process: answers the tests' questions until stopped. */
export function serveSharedParts(report: (line: string) => void): { stop(): Promise<void> } {
  const folder = join(privateFolder('jest'), 'parts');
  mkdirSync(folder);
  process.env[environment.folder] = folder;
  const starting = new Map<string, Promise<{ stop(): Promise<void> } | undefined>>();
  const starters = {
    postgres: () => startPostgres(),
    rabbitmq: async () => {
      await ensurePart('rabbitmq', { report });
      return startRabbitMq();
    },
  };
  const start = async (name: keyof Answers): Promise<{ stop(): Promise<void> } | undefined> => {
    const answer = (content: Answer<unknown>): void => {
      writeFileSync(join(folder, `${name}.new`), JSON.stringify(content), { mode: 0o600 });
      renameSync(join(folder, `${name}.new`), join(folder, `${name}.json`));
    };
    try {
      const part = await starters[name]();
      answer({ value: { ...part } });
      return part;
    } catch (error) {
      answer({ error: (error as Error).message });
      return undefined;
    }
  };
  const look = (): void => {
    for (const name of Object.keys(starters) as (keyof Answers)[]) {
      if (!starting.has(name) && existsSync(join(folder, `${name}.wanted`))) starting.set(name, start(name));
    }
  };
  const watcher = watch(folder, look);
  watcher.unref();
  look();
  return {
    stop: async () => {
      watcher.close();
      const parts = await Promise.all(starting.values());
      await Promise.all(parts.map(async (part) => part?.stop()));
      removePrivateFolder(join(folder, '..'));
      delete process.env[environment.folder];
    },
  };
}
