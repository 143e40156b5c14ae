import type { Consumer } from './consumer.ts';
import type { Subscription } from './subscription.ts';

/** Several consumers as the one subscription they were asked for as. */
export function together(queue: string, consumers: readonly Consumer[]): Subscription {
  const [only] = consumers;
  if (only !== undefined && consumers.length === 1) return only;
  return {
    queue,
    get state() {
      return consumers.find(({ state }) => state !== 'attached')?.state ?? 'attached';
    },
    get circuit() {
      return consumers.find(({ circuit }) => circuit !== 'closed')?.circuit ?? 'closed';
    },
    get active() {
      return consumers.reduce((sum, { active }) => sum + active, 0);
    },
    close: async (drainMs) => void (await Promise.all(consumers.map((consumer) => consumer.close(drainMs)))),
  };
}
