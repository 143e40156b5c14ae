import {
  applyDifferences,
  defaultDelays,
  describeDifference,
  examine,
  migrateQueue,
  readTopology,
  topologyOf,
  type Finding,
} from '@keelson/messaging';
import type { Context } from '../../command.ts';
import { EXIT, Failure } from '../../failure.ts';
import { needsOfService } from './at-topology.ts';
import { openBroker, type Broker } from './open-broker.ts';

export interface BrokerOptions {
  amqpUrlFile?: string;
  managementUrlFile?: string;
  exchange: string;
  service?: string;
}

export interface ApplyOptions {
  dryRun?: boolean;
  migrate?: string;
}

/** Looks at the broker. */
export async function doctor({ settings, print }: Context, options: BrokerOptions): Promise<void> {
  const needs = needsOfService(options.service);
  const findings = await withBroker(settings, options, ({ model, management }) =>
    examine({ model, management, needs, exchange: options.exchange, delays: defaultDelays }),
  );
  print.rows(findings, {
    columns: [
      { title: 'check', value: (row: Finding) => row.check },
      { title: 'state', value: (row) => row.state },
      { title: 'detail', value: (row) => row.detail },
      { title: 'remedy', value: (row) => row.remedy },
    ],
    name: (row) => row.check,
    empty: 'nothing was looked at',
  });
  const wrong = findings.filter(({ state }) => state === 'wrong');
  if (wrong.length > 0) throw new Failure(`${wrong.length} findings are wrong`, EXIT.failedCheck);
}

/** What differs. */
export async function plan({ settings, print }: Context, options: BrokerOptions): Promise<void> {
  const topology = topologyOf(needsOfService(options.service), { exchange: options.exchange, delays: defaultDelays });
  const report = await withBroker(settings, options, ({ model, management }) =>
    readTopology(model, topology, management),
  );
  const rows = report.differences.map((difference) => ({ ...difference, text: describeDifference(difference) }));
  print.rows(rows, {
    columns: [{ title: 'difference', value: (row) => row.text }],
    name: (row) => row.text,
    empty: `the broker fits (read by ${report.source})`,
  });
  for (const unknown of report.unknown) print.say(`not seen: ${unknown}`);
  if (rows.length > 0)
    throw new Failure(`${rows.length} differences; keelson messages apply makes what can be made`, EXIT.failedCheck);
}

/** Makes what is missing. */
export async function apply(context: Context, options: BrokerOptions & ApplyOptions): Promise<void> {
  if (options.dryRun === true) return plan(context, options);
  const { settings, print } = context;
  const topology = topologyOf(needsOfService(options.service), { exchange: options.exchange, delays: defaultDelays });
  await withBroker(settings, options, async ({ model, management }) => {
    if (options.migrate !== undefined) {
      const done = await migrateQueue(model, topology, options.migrate, management);
      print.object(done, { text: `queue ${done.queue} was made anew; ${done.moved} messages moved`, name: done.queue });
      return;
    }
    const { differences } = await readTopology(model, topology, management);
    const { done, left } = await applyDifferences(model, differences, { management, topology });
    print.rows(
      done.map((text) => ({ text })),
      { columns: [{ title: 'done', value: (row) => row.text }], name: (row) => row.text, empty: 'nothing to make' },
    );
    if (left.length > 0)
      throw new Failure(`left to do:\n${left.map((one) => `  ${describeDifference(one)}`).join('\n')}`);
  });
}

async function withBroker<T>(
  settings: Context['settings'],
  options: BrokerOptions,
  work: (broker: Broker) => Promise<T>,
): Promise<T> {
  const broker = await openBroker(settings, options);
  try {
    return await work(broker);
  } finally {
    await broker.close();
  }
}
