import type { FoundPolicy, FoundQueue } from './management.ts';
import type { QueuePart } from './topology.ts';

/** Arguments that may change in a queue's life, and the key of a policy that stands for each. */
export const POLICY_KEYS: Readonly<Record<string, string>> = {
  'x-max-length': 'max-length',
  'x-max-length-bytes': 'max-length-bytes',
  'x-delivery-limit': 'delivery-limit',
  'x-max-age': 'max-age',
};

/** A limit as a number: a count as it is, a stream's age (`7D`) in seconds. Undefined for what is no limit. */
export function amountOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  const [, count, unit] = /^(\d+)([YMDhms])$/.exec(typeof value === 'string' ? value : '') ?? [];
  return count === undefined ? undefined : Number(count) * AGE_SECONDS[unit as keyof typeof AGE_SECONDS];
}

/** As RabbitMQ counts a year and a month: rabbit_stream_queue. */
const AGE_SECONDS = { Y: 31_536_000, M: 2_592_000, D: 86_400, h: 3_600, m: 60, s: 1 } as const;

export const policyName = (queue: string): string => `keelson:${queue}`;

/**
 * The policy that gives a queue its limits; undefined where it has none. What several services share (delay levels) has
 * none: they must all be able to declare it, with a management API or without.
 */
export function policyOf(part: QueuePart): Omit<FoundPolicy, 'name'> | undefined {
  if (part.role === 'delay' || part.role === 'parking-lot') return undefined;
  const definition = Object.fromEntries(
    Object.entries(part.arguments).flatMap(([name, value]) => {
      const key = POLICY_KEYS[name];
      return key === undefined ? [] : [[key, value]];
    }),
  );
  if (Object.keys(definition).length === 0) return undefined;
  const pattern = `^${part.name.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)}$`;
  return { pattern, 'apply-to': 'queues', definition, priority: 0 };
}

/** The arguments that a queue is declared with when a policy gives it its limits. */
export const withoutLimits = (part: QueuePart): Record<string, unknown> =>
  Object.fromEntries(Object.entries(part.arguments).filter(([name]) => POLICY_KEYS[name] === undefined));

/**
 * A limit as it holds: RabbitMQ takes the lower of argument, policy and operator policy. Computed from the policies, since
 * the broker's own account of it is some seconds old.
 */
export function effectiveLimit(queue: FoundQueue, argument: string, policies: Policies): unknown {
  const key = POLICY_KEYS[argument] ?? '';
  const limits = [
    queue.arguments[argument],
    holding(queue.name, policies.own)?.definition[key],
    holding(queue.name, policies.operator)?.definition[key],
  ].filter((value) => amountOf(value) !== undefined);
  return limits.toSorted((one, other) => amountOf(one)! - amountOf(other)!)[0];
}

export interface Policies {
  readonly own: readonly FoundPolicy[];
  /** Set by who runs the broker; they only ever lower. */
  readonly operator: readonly FoundPolicy[];
}

/** The one policy that holds for a queue: of those that match, the one of the highest priority. */
export function holding(queue: string, policies: readonly FoundPolicy[]): FoundPolicy | undefined {
  return policies
    .filter((policy) => policy['apply-to'] !== 'exchanges' && mayMatch(policy.pattern, queue))
    .toSorted((one, other) => other.priority - one.priority)[0];
}

/** A policy of somebody else that applies to the queue: of several only one holds, and theirs is not ours to replace. */
export function foreignPolicy(queue: string, policies: Policies): FoundPolicy | undefined {
  const ours = (policy: FoundPolicy): boolean => policy.name === policyName(queue);
  return [...policies.own, ...policies.operator].find(
    (policy) => !ours(policy) && policy['apply-to'] !== 'exchanges' && mayMatch(policy.pattern, queue),
  );
}

function mayMatch(pattern: string, name: string): boolean {
  try {
    return new RegExp(pattern).test(name);
  } catch {
    return true; // a pattern that only Erlang understands: to be on the safe side
  }
}
