import type { ChannelModel } from 'amqplib';
import { assertNever } from '../assert-never.ts';
import { assertExchange, bind, declaring } from './declare.ts';
import { describeDifference, type Difference } from './difference.ts';
import type { ManagementApi } from './management.ts';
import { foreignPolicy, policyName, policyOf, withoutLimits } from './policies.ts';
import type { QueuePart, Topology } from './topology.ts';

/** What became of each difference, one line each. */
export interface Applied {
  readonly done: readonly string[];
  /** Differences that need a migration or a person. */
  readonly left: readonly Difference[];
}

/**
 * Makes what is missing and sets policies; touches nothing that holds messages. With a management API a queue's limits
 * become a policy, since a policy can be changed later and an argument cannot.
 */
export async function applyDifferences(
  model: ChannelModel,
  differences: readonly Difference[],
  { management, topology }: { management: ManagementApi | undefined; topology: Topology },
): Promise<Applied> {
  const done: string[] = [];
  const left: Difference[] = [];
  const policies = management === undefined ? { own: [], operator: [] } : await management.policies();
  await declaring(
    model,
    async (channel) => {
      for (const difference of differences) {
        switch (difference.kind) {
          case 'exchange-missing':
            await assertExchange(channel, difference.part);
            done.push(`exchange ${difference.part.name} created`);
            break;
          case 'queue-missing': {
            const { part } = difference;
            const byPolicy =
              management !== undefined &&
              policyOf(part) !== undefined &&
              foreignPolicy(part.name, policies) === undefined;
            // Before the queue, so that it is never without its limits.
            if (byPolicy) await setPolicy(management, part);
            const own = byPolicy ? withoutLimits(part) : part.arguments;
            await channel.assertQueue(part.name, { durable: true, arguments: own });
            done.push(`queue ${part.name} created`);
            break;
          }
          case 'binding-missing':
            await bind(channel, difference.part);
            done.push(
              `${difference.part.destination} bound to ${difference.part.source} with ${difference.part.routingKey}`,
            );
            break;
          case 'queue-differs':
            if (difference.way.by === 'policy' && management !== undefined) {
              await setPolicy(management, difference.part);
              done.push(`queue ${difference.part.name}: ${difference.field} is ${difference.wanted} by policy now`);
            } else left.push(difference);
            break;
          case 'exchange-differs':
          case 'migration-unfinished':
            left.push(difference);
            break;
          default:
            assertNever(difference);
        }
      }
    },
    topology,
  );
  return { done, left };
}

async function setPolicy(management: ManagementApi, part: QueuePart): Promise<void> {
  const policy = policyOf(part);
  if (policy !== undefined) await management.setPolicy(policyName(part.name), policy);
}

/** Several differences as the message of an error. */
export const listOf = (differences: readonly Difference[]): string =>
  differences.map((difference) => `\n  ${describeDifference(difference)}`).join('');
