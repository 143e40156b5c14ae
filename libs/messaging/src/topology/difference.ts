import { assertNever } from '../assert-never.ts';
import type { BindingPart, ExchangePart, QueuePart } from './topology.ts';

/** Something on the broker that is not as it must be, with what is needed to put it right. */
export type Difference =
  | { readonly kind: 'exchange-missing'; readonly part: ExchangePart }
  | {
      readonly kind: 'exchange-differs';
      readonly name: string;
      readonly field: string;
      readonly found: string;
      readonly wanted: string;
    }
  | { readonly kind: 'queue-missing'; readonly part: QueuePart }
  | {
      readonly kind: 'queue-differs';
      readonly part: QueuePart;
      readonly field: string;
      readonly found: string;
      readonly wanted: string;
      readonly way: WayOut;
    }
  | { readonly kind: 'binding-missing'; readonly part: BindingPart }
  /** A migration was begun and not ended: messages wait in `<queue>.migrating`. */
  | { readonly kind: 'migration-unfinished'; readonly part: QueuePart };

/**
 * How a queue's property can be changed: by a policy, at once; by a migration; by a person, who owns the policy; or not
 * at all, where it is a stream: its messages cannot be moved.
 */
export type WayOut =
  | { readonly by: 'policy' }
  | { readonly by: 'migration' }
  | { readonly by: 'another-name' }
  | { readonly by: 'owner-of-policy'; readonly policy: string };

/** How an argument that no policy stands for can be changed. */
export const wayOfArgument = ({ role }: QueuePart): WayOut => ({
  by: role === 'stream' ? 'another-name' : 'migration',
});

/** The difference as one line: what is there -> what is needed, and how to get there. */
export function describeDifference(difference: Difference): string {
  switch (difference.kind) {
    case 'exchange-missing':
      return `exchange ${difference.part.name}: missing -> ${difference.part.type}, ${APPLY}`;
    case 'exchange-differs': {
      const { name, field, found, wanted } = difference;
      return (
        `exchange ${name}: ${field} ${found} -> ${wanted}, an exchange cannot be changed: stop its publishers, delete it ` +
        `("rabbitmqadmin delete exchange name=${name}") and ${APPLY}; or choose another exchange name`
      );
    }
    case 'queue-missing':
      return `queue ${difference.part.name}: missing -> ${difference.part.role} queue, ${APPLY}`;
    case 'queue-differs': {
      const { part, field, found, wanted, way } = difference;
      return `queue ${part.name}: ${field} ${found} -> ${wanted}, ${remedy(part.name, way)}`;
    }
    case 'binding-missing': {
      const { source, destination, to, routingKey } = difference.part;
      return `${to} ${destination}: not bound -> bound to ${source} with ${routingKey}, ${APPLY}`;
    }
    case 'migration-unfinished':
      return `queue ${difference.part.name}: a migration was not finished, ${remedy(difference.part.name, { by: 'migration' })}`;
    default:
      return assertNever(difference);
  }
}

const APPLY = 'create with "keelson messages apply"';

function remedy(queue: string, way: WayOut): string {
  switch (way.by) {
    case 'policy':
      return 'set a policy with "keelson messages apply"';
    case 'migration':
      return `migrate with "keelson messages apply --migrate ${queue}" while its consumers are stopped`;
    case 'another-name':
      return `a stream cannot be made anew with its messages: subscribe under another name, and delete this one when all have read it ("rabbitmqadmin delete queue name=${queue}")`;
    case 'owner-of-policy':
      return `it comes from policy "${way.policy}", which is not ours: change it there`;
    default:
      return assertNever(way);
  }
}
