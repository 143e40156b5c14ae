import { type Difference, wayOfArgument, type WayOut } from './difference.ts';
import type { FoundBinding, FoundExchange, FoundQueue } from './management.ts';
import { migratingQueue } from './names.ts';
import { amountOf, effectiveLimit, foreignPolicy, type Policies, POLICY_KEYS, policyOf } from './policies.ts';
import type { QueuePart, Topology } from './topology.ts';

/** What is on the broker, as its management API tells. */
export interface Found {
  readonly exchanges: readonly FoundExchange[];
  readonly queues: readonly FoundQueue[];
  readonly bindings: readonly FoundBinding[];
  readonly policies: Policies;
}

/** What must change on the broker, in the order in which it can be done. Pure. */
export function compare(wanted: Topology, found: Found): Difference[] {
  const exchanges = new Map(found.exchanges.map((exchange) => [exchange.name, exchange]));
  const queues = new Map(found.queues.map((queue) => [queue.name, queue]));
  const bound = new Set(
    found.bindings.map((one) => key(one.source, one.destination_type, one.destination, one.routing_key)),
  );
  return [
    ...wanted.exchanges.flatMap((part): Difference[] => {
      const exchange = exchanges.get(part.name);
      if (exchange === undefined) return [{ kind: 'exchange-missing', part }];
      return [
        { field: 'type', found: exchange.type, wanted: part.type as string },
        { field: 'durable', found: String(exchange.durable), wanted: 'true' },
        {
          field: 'alternate-exchange',
          found: show(exchange.arguments['alternate-exchange']),
          wanted: show(part.alternate),
        },
      ]
        .filter((one) => one.found !== one.wanted)
        .map((one) => ({ kind: 'exchange-differs', name: part.name, ...one }));
    }),
    ...wanted.queues.flatMap((part): Difference[] => {
      if (queues.has(migratingQueue(part.name))) return [{ kind: 'migration-unfinished', part }];
      const queue = queues.get(part.name);
      return queue === undefined ? [{ kind: 'queue-missing', part }] : compareQueue(part, queue, found.policies);
    }),
    ...wanted.bindings
      .filter((part) => !bound.has(key(part.source, part.to, part.destination, part.routingKey)))
      .map((part): Difference => ({ kind: 'binding-missing', part })),
  ];
}

function compareQueue(part: QueuePart, queue: FoundQueue, policies: Policies): Difference[] {
  const differs = (field: string, found: unknown, wanted: unknown, way: WayOut): Difference[] =>
    found === wanted ? [] : [{ kind: 'queue-differs', part, field, found: show(found), wanted: show(wanted), way }];
  const names = new Set([...Object.keys(part.arguments), ...Object.keys(queue.arguments)]);
  // What is a stream has messages that cannot be moved; what is to be one may be filled from a queue.
  const anew: WayOut = queue.type === 'stream' ? { by: 'another-name' } : { by: 'migration' };
  return [
    ...differs('durable', queue.durable, true, anew),
    ...[...names].flatMap((name) => {
      const wanted = part.arguments[name];
      if (name === 'x-queue-type') return differs(name, queue.type, wanted, anew);
      if (POLICY_KEYS[name] === undefined) return differs(name, queue.arguments[name], wanted, anew);
      const found = effectiveLimit(queue, name, policies);
      if (amountOf(found) === amountOf(wanted)) return [];
      return differs(name, found, wanted, wayOfLimit(name, part, queue, policies));
    }),
  ];
}

/** A policy can lower what an argument says, and set what none says; raising an argument takes another queue. */
function wayOfLimit(name: string, part: QueuePart, queue: FoundQueue, policies: Policies): WayOut {
  const wanted = part.arguments[name];
  const foreign = foreignPolicy(queue.name, policies);
  if (foreign !== undefined) return { by: 'owner-of-policy', policy: foreign.name };
  const own = queue.arguments[name];
  if (policyOf(part) === undefined) return wayOfArgument(part);
  const [most, asked] = [amountOf(own), amountOf(wanted)];
  if (most !== undefined && (asked === undefined || asked > most)) return wayOfArgument(part);
  return { by: 'policy' };
}

function show(value: unknown): string {
  if (value === undefined) return 'none';
  if (value === '') return '"" (the default exchange)';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

const key = (...parts: string[]): string => JSON.stringify(parts);
