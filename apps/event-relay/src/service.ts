import { catalogue, eventsApi, messagesApi } from '@keelson/contracts';
import { KubernetesClient } from '@keelson/kubernetes';
import { inboxMigrations, Messaging } from '@keelson/messaging';
import { Database } from '@keelson/persistence';
import {
  ConfigError,
  counter,
  gauge,
  histogram,
  logger,
  systemClock,
  type ServiceDefinition,
  type ServiceParts,
} from '@keelson/service-kit';
import type { z } from 'zod';
import { config } from './config.ts';
import { Courier } from './delivery/courier.ts';
import { DeadLetters } from './delivery/dead-letters.ts';
import { deliveryMetrics } from './delivery/metrics.ts';
import { openCursors } from './delivery/sink-cursor.ts';
import { Sinks } from './delivery/sinks.ts';
import { Standings } from './delivery/standings.ts';
import { EventRelayModule } from './event-relay.module.ts';
import { GapLedger } from './journal/gap-ledger.ts';
import { Journal } from './journal/journal.ts';
import { journalMigrations } from './journal/migrations.ts';
import { Retention } from './journal/retention.ts';
import { EventWatch } from './kubernetes/event-watch.ts';
import { WatchPositions } from './kubernetes/positions.ts';
import { platformEntry, platformMessages } from './platform/platform-entry.ts';
import { loadRules, RulesError, type Rules } from './rules/rules.ts';
import { makeSink, SinkFault } from './sinks/make-sink.ts';
import type { Sink } from './sinks/sink.ts';

const name = 'event-relay';

/** The parts of the service by its configuration: sources, journal and couriers run when it resolves. */
export async function partsOf(settings: z.output<typeof config>): Promise<ServiceParts> {
  const log = logger(name);
  // What is wrong with the configuration is said before anything is waited for.
  const rules = rulesOf(settings.RULES_FILE);
  const made = sinksOf(rules);
  const client = settings.EVENT_APIS.length === 0 ? undefined : clientFor(settings.KUBECONFIG);

  const database = await Database.open({
    url: settings.DATABASE_URL,
    name,
    migrations: [...inboxMigrations, ...journalMigrations],
    // Each sink and each watch holds a connection for its advisory lock.
    poolSize: 10 + made.length + settings.EVENT_APIS.length,
    log,
  });
  const journal = new Journal(database);
  const gapsRecorded = counter({ name: 'keelson_gaps_total', help: 'Gaps written into the loss ledger' });
  const gaps = new GapLedger(database, journal, () => gapsRecorded.inc());
  const deadLetters = new DeadLetters(database);
  const metrics = deliveryMetrics();
  const couriers = made.map(({ rule, sink }) => ({
    rule,
    courier: new Courier({
      name: rule.name,
      match: rule.match,
      sink,
      database,
      journal,
      clock: systemClock,
      metrics,
      log,
    }),
  }));
  const sinks = new Sinks({ database, journal, deadLetters, couriers });
  const sinkNames = rules.sinks.map((sink) => sink.name);
  // Before any source is read: what comes from now on is for the new sinks, too.
  await openCursors(database, sinkNames, await journal.head());

  const received = counter({
    name: 'keelson_events_received_total',
    help: 'Events read from a source, doubles included',
    labelNames: ['source'],
  });
  const watches = settings.EVENT_APIS.map(
    (api) =>
      new EventWatch({
        client: client!,
        cluster: settings.CLUSTER,
        api,
        database,
        journal,
        positions: new WatchPositions(database),
        gaps,
        clock: systemClock,
        received: (count) => received.inc({ source: 'kubernetes' }, count),
        log,
      }),
  );
  const messaging = await Messaging.connect({
    url: settings.AMQP_URL,
    managementUrl: settings.AMQP_MANAGEMENT_URL,
    topologyMode: settings.AMQP_TOPOLOGY,
    service: name,
    catalogue,
    database,
    metrics: { counter, gauge, histogram },
    log,
  });
  const subscription = await messaging.subscribe({
    queue: 'event-relay.platform',
    messages: platformMessages,
    handler: async (message, { tx }) => {
      received.inc({ source: 'platform' });
      await journal.appendIn(tx!, [platformEntry(message, settings.CLUSTER)]);
    },
  });
  const retention = new Retention({ journal, sinks: sinkNames, days: settings.RETENTION_DAYS, log });
  const standings = new Standings({ sinks, watches, log });

  for (const { courier } of couriers) courier.start();
  for (const watch of watches) watch.start();
  retention.start();
  standings.start();
  return {
    module: EventRelayModule.with({
      database,
      journal,
      sinks,
      deadLetters,
      gaps,
      cluster: settings.CLUSTER,
      alertsReceived: (count) => received.inc({ source: 'alertmanager' }, count),
      messaging,
    }),
    // Neither broker nor API server: while one is away, the other sources, the sinks and the archive go on.
    ready: { database: () => database.ping() },
    close: [
      async () => void (await Promise.all([retention.stop(), standings.stop()])),
      async () => void (await Promise.all(watches.map((watch) => watch.stop()))),
      () => subscription.close(),
      () => messaging.close(),
      async () => void (await Promise.all(couriers.map(({ courier }) => courier.stop()))),
      () => database.close(),
      () => client?.close(),
    ],
  };
}

/** What `runService` needs. */
export const definition: ServiceDefinition<typeof config> = {
  name,
  version: process.env['APP_VERSION'] ?? '0.1.0',
  api: [eventsApi, messagesApi],
  config,
  start: partsOf,
};

function clientFor(kubeconfig: string | undefined): KubernetesClient {
  try {
    return kubeconfig === undefined ? KubernetesClient.default() : KubernetesClient.fromKubeconfig(kubeconfig);
  } catch (error) {
    throw new ConfigError([
      { name: 'KUBECONFIG', detail: `${(error as Error).message}; or set EVENT_APIS=none to watch no cluster` },
    ]);
  }
}

function rulesOf(file: string | undefined): Rules {
  if (file === undefined) return { sinks: [] };
  try {
    return loadRules(file);
  } catch (error) {
    if (!(error instanceof RulesError)) throw error;
    throw new ConfigError(error.message.split('\n').map((detail) => ({ name: 'RULES_FILE', detail })));
  }
}

function sinksOf(rules: Rules): { rule: Rules['sinks'][number]; sink: Sink }[] {
  const faults: string[] = [];
  const made = rules.sinks.flatMap((rule) => {
    try {
      return [{ rule, sink: makeSink(rule) }];
    } catch (error) {
      if (!(error instanceof SinkFault)) throw error;
      faults.push(error.message);
      return [];
    }
  });
  if (faults.length > 0) throw new ConfigError(faults.map((detail) => ({ name: 'RULES_FILE', detail })));
  return made;
}
