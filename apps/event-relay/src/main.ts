import { catalogue, eventsApi } from '@keelson/contracts';
import { KubernetesClient } from '@keelson/kubernetes';
import { inboxMigrations, Messaging } from '@keelson/messaging';
import { Database } from '@keelson/persistence';
import { ConfigError, counter, logger, runService, systemClock } from '@keelson/service-kit';
import { config } from './config.ts';
import { Courier } from './delivery/courier.ts';
import { Cursors } from './delivery/cursors.ts';
import { DeadLetters } from './delivery/dead-letters.ts';
import { deliveryMetrics } from './delivery/metrics.ts';
import { Sinks } from './delivery/sinks.ts';
import { EventRelayModule } from './event-relay.module.ts';
import { GapLedger } from './journal/gap-ledger.ts';
import { Journal } from './journal/journal.ts';
import { Retention } from './journal/retention.ts';
import { JournalSchema1780000000000 } from './journal/schema.migration.ts';
import { EventWatch } from './kubernetes/event-watch.ts';
import { WatchPositions } from './kubernetes/positions.ts';
import { platformEntry, platformMessages } from './platform/platform-entry.ts';
import { loadRules, RulesError, type Rules } from './rules/rules.ts';
import { makeSink } from './sinks/make-sink.ts';

const name = 'event-relay';

await runService({
  name,
  version: process.env['APP_VERSION'] ?? '0.1.0',
  api: eventsApi,
  config,
  start: async (settings) => {
    const log = logger(name);
    const clock = systemClock;
    const rules = rulesOf(settings.RULES_FILE);
    const database = await Database.open({
      url: settings.DATABASE_URL,
      name,
      migrations: [...inboxMigrations, JournalSchema1780000000000],
      // Each sink and each watch holds a connection for its advisory lock.
      poolSize: 10 + rules.sinks.length + settings.EVENT_APIS.length,
      log,
    });
    const journal = new Journal(database, clock);
    const gaps = new GapLedger(database, journal);
    const deadLetters = new DeadLetters(database);
    const cursors = new Cursors(database);
    const metrics = deliveryMetrics();
    const couriers = rules.sinks.map((rule) => ({
      rule,
      courier: new Courier({
        name: rule.name,
        match: rule.match,
        sink: makeSink(rule),
        database,
        journal,
        cursors,
        clock,
        metrics,
        log,
      }),
    }));
    const sinks = new Sinks({ database, journal, deadLetters, couriers, clock });

    const client = settings.EVENT_APIS.length === 0 ? undefined : clientFor(settings.KUBECONFIG);
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
          clock,
          received: (count) => received.inc({ source: 'kubernetes' }, count),
          log,
        }),
    );

    const messaging = await Messaging.connect({ url: settings.AMQP_URL, service: name, catalogue, database });
    const subscription = messaging.subscribe({
      queue: 'event-relay.platform',
      messages: platformMessages,
      handler: async (message, { tx }) => {
        received.inc({ source: 'platform' });
        await journal.appendIn(tx!, [platformEntry(message, settings.CLUSTER)]);
      },
    });
    const retention = new Retention({
      journal,
      sinks: rules.sinks.map((sink) => sink.name),
      days: settings.RETENTION_DAYS,
      clock,
      log,
    });

    for (const { courier } of couriers) courier.start();
    for (const watch of watches) watch.start();
    retention.start();
    return {
      module: EventRelayModule.with({ database, journal, sinks, deadLetters, gaps, cluster: settings.CLUSTER }),
      ready: { database: () => database.ping() },
      close: [
        () => retention.stop(),
        async () => void (await Promise.all(watches.map((watch) => watch.stop()))),
        async () => (await subscription).close(),
        () => messaging.close(),
        async () => void (await Promise.all(couriers.map(({ courier }) => courier.stop()))),
        () => database.close(),
        () => client?.close(),
      ],
    };
  },
});

function clientFor(kubeconfig: string | undefined): KubernetesClient {
  return kubeconfig === undefined ? KubernetesClient.default() : KubernetesClient.fromKubeconfig(kubeconfig);
}

function rulesOf(file: string | undefined): Rules {
  if (file === undefined) return { sinks: [] };
  try {
    return loadRules(file);
  } catch (error) {
    const faults = error instanceof RulesError ? error.message.split('\n') : [String(error)];
    throw new ConfigError(faults.map((detail) => ({ name: 'RULES_FILE', detail })));
  }
}
