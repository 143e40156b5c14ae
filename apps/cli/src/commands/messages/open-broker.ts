import { ManagementApi } from '@keelson/messaging';
import { connect, type ChannelModel } from 'amqplib';
import { readFileSync } from 'node:fs';
import { EXIT, Failure } from '../../failure.ts';
import type { Settings } from '../../settings.ts';

export interface Broker {
  readonly model: ChannelModel;
  readonly management: ManagementApi | undefined;
  close(): Promise<void>;
}

/** Connects by AMQP_URL or the file that holds it: a URL with a password is never an option. Throws Failure. */
export async function openBroker(
  settings: Settings,
  { amqpUrlFile, managementUrlFile }: { amqpUrlFile?: string; managementUrlFile?: string },
): Promise<Broker> {
  const url = fromFile(amqpUrlFile, '--amqp-url-file') ?? settings.value('AMQP_URL');
  if (url === undefined) {
    throw new Failure(
      'AMQP_URL is not set: the broker. Set it, or give --amqp-url-file PATH or --env-file PATH',
      EXIT.usage,
    );
  }
  const managementUrl = fromFile(managementUrlFile, '--management-url-file') ?? settings.value('AMQP_MANAGEMENT_URL');
  for (const [name, text] of [
    ['AMQP_URL', url],
    ['AMQP_MANAGEMENT_URL', managementUrl],
  ] as const) {
    if (text !== undefined && !URL.canParse(text))
      throw new Failure(`${name} is not a URL (what it holds is not shown: it may have a password)`, EXIT.usage);
  }
  const { host, pathname } = new URL(url);
  let model: ChannelModel;
  try {
    model = await connect(url, { timeout: 10_000, clientProperties: { connection_name: 'keelson cli' } });
  } catch (error) {
    const code = (error as { code?: string }).code;
    const why = code ?? (error instanceof Error ? error.message : String(error));
    const denied = /ACCESS[-_]REFUSED|NOT[-_]ALLOWED|403|530|ConnectionClose/.test(why);
    throw new Failure(`RabbitMQ at ${host}${pathname}: ${why}`, denied ? EXIT.denied : EXIT.conflict);
  }
  // What ends the connection arrives as the failed call too.
  model.on('error', () => undefined);
  return {
    model,
    management: managementUrl === undefined ? undefined : new ManagementApi(managementUrl, url),
    close: () => model.close().catch(() => undefined),
  };
}

function fromFile(path: string | undefined, option: string): string | undefined {
  if (path === undefined) return undefined;
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8').trim();
  } catch (error) {
    throw new Failure(`${option}: ${error instanceof Error ? error.message : String(error)}`, EXIT.usage);
  }
}
