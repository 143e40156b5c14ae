import { catalogue, queueCatalogue } from '@keelson/contracts';
import { defaultDelays, needsOf, routesOf, topologyOf, type Needs } from '@keelson/messaging';
import type { Context } from '../../command.ts';
import { EXIT, Failure } from '../../failure.ts';

/** Of one service, or of all. Throws Failure for one that has none. */
export function needsOfService(service: string | undefined): Needs[] {
  const services = [...new Set(queueCatalogue.map((one) => one.service))];
  if (service !== undefined && !services.includes(service))
    throw new Failure(`service ${service} has no queue; there are: ${services.join(', ')}`, EXIT.notFound);
  return queueCatalogue.filter((one) => service === undefined || one.service === service).map(needsOf);
}

/** What must be on the broker. */
export function describe({ print }: Context, { service, exchange }: { service?: string; exchange: string }): void {
  const topology = topologyOf(needsOfService(service), { exchange, delays: defaultDelays });
  const own = topology.queues.filter(({ role }) => role !== 'delay');
  const text = [
    `exchanges ${topology.exchanges.length}, queues ${topology.queues.length}, bindings ${topology.bindings.length}`,
    `exchange ${exchange} (topic)`,
    `delays ${topology.queues.length - own.length} levels of ${defaultDelays.unitMs} ms and up`,
    ...own.flatMap(({ name, arguments: all }) => [
      `queue ${name}`,
      `  ${Object.entries(all)
        .map(([key, value]) => `${key}=${String(value)}`)
        .join(' ')}`,
      ...topology.bindings
        .filter(({ destination, source }) => destination === name && source === exchange)
        .map(({ routingKey }) => `  <- ${routingKey}`),
    ]),
  ].join('\n');
  print.object(topology, { text, name: exchange });
}

/** Each message with the queues it reaches. */
export function routes({ print }: Context, message: string | undefined): void {
  const rows = routesOf(catalogue, queueCatalogue).filter(({ routingKey }) => routingKey.includes(message ?? ''));
  print.rows(rows, {
    columns: [
      { title: 'message', value: (row) => row.routingKey },
      { title: 'sent by', value: (row) => row.producer },
      { title: 'queues', value: (row) => row.queues.join(', ') || '(nobody)' },
    ],
    name: (row) => row.routingKey,
    empty: 'no message matches',
  });
}
