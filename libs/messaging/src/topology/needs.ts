import { routingKeysOf } from '../envelope/versions.ts';
import { settingsOf } from '../consume/subscribe-options.ts';
import type { QueuePlan } from '../options.ts';
import type { Needs } from './topology.ts';

/** What the queue of a plan needs on the broker. */
export function needsOf(plan: QueuePlan): Needs {
  const { queue } = plan;
  const routingKeys = routingKeysOf(plan.messages);
  if (plan.kind === 'requests') return { kind: 'requests', queue, routingKeys, maxLength: plan.maxLength };
  if (plan.kind === 'stream') return { kind: 'stream', queue, routingKeys, maxAgeSeconds: plan.maxAgeSeconds };
  return { queue, routingKeys, settings: settingsOf(plan), withHigh: plan.priorities === 'separate-queues' };
}
