import type {
  Canary,
  Certificate,
  Delivery,
  Gap,
  JournalEvent,
  QueueState,
  Scope,
  Sink,
  Verdict,
} from '@keelson/contracts';
import type { MessageKey, ServiceKey } from '../../services.ts';
import { type Reading, useRead } from '../api/use-read.ts';
import { useStatus } from '../api/use-status.ts';
import { ATTENTION_MS } from '../certificates/expiry.ts';
import { useMessagesPermission } from '../messages/which.ts';
import { type Session, useSession } from '../session/session.ts';
import type { Permission } from '../session/standing.ts';
import type { PlatformStatus } from '../../status.ts';

/** How far back "now" reaches for events. */
export const WARNINGS_MS = 900_000;
/** More rows than this are not looked at here; the pages have all. */
export const MOST = 500;

/** Something that home reads, and whether the token may. */
export interface Part<T> extends Reading<T> {
  readonly permission: Permission;
}

export interface HomeReadings {
  readonly status: Reading<PlatformStatus>;
  readonly canaries: Part<readonly Canary[]>;
  readonly warnings: Part<readonly JournalEvent[]>;
  readonly sinks: Part<{ readonly sinks: readonly Sink[]; readonly gaps: readonly Gap[] }>;
  readonly verdict: Part<Verdict>;
  readonly orderQueues: Part<readonly QueueState[]>;
  readonly eventQueues: Part<readonly QueueState[]>;
  readonly certificates: Part<{ readonly ending: readonly Certificate[]; readonly deliveries: readonly Delivery[] }>;
}

/** Everything that home looks at, each at its own pace: what changes fast and is cheap often, the verifier seldom. */
export function useHomeReadings(): HomeReadings {
  return {
    status: useStatus(),
    canaries: usePart('releases', 'canaries', 'canaries:read', 3_000, async ({ canaries }, signal) => {
      return (await canaries.listCanaries({ query: { limit: MOST }, signal })).items;
    }),
    warnings: usePart('warnings', 'events', 'events:read', 5_000, async ({ events }, signal) => {
      const since = new Date(Date.now() - WARNINGS_MS).toISOString();
      return (await events.listEvents({ query: { type: 'Warning', since, limit: MOST }, signal })).items;
    }),
    sinks: usePart('sinks', 'events', 'events:read', 10_000, async ({ events }, signal) => {
      const [sinks, gaps] = await Promise.all([
        events.listSinks({ signal }),
        events.listGaps({ query: { limit: 20 }, signal }),
      ]);
      return { sinks: sinks.items, gaps: gaps.items };
    }),
    // It reads every order, so it is asked seldom.
    verdict: usePart('verdict', 'orders', 'orders:read', 20_000, ({ orders }, signal) =>
      orders.verifyOrders({ signal }),
    ),
    orderQueues: useQueuesPart('orders'),
    eventQueues: useQueuesPart('events'),
    certificates: usePart('ending', 'certificates', 'certificates:read', 30_000, async ({ certificates }, signal) => {
      const expiresBefore = new Date(Date.now() + ATTENTION_MS).toISOString();
      const [ending, deliveries] = await Promise.all([
        certificates.listCertificates({ query: { state: 'valid', expiresBefore, limit: MOST }, signal }),
        certificates.listDeliveries({ query: { limit: MOST }, signal }),
      ]);
      return { ending: ending.items, deliveries: deliveries.items };
    }),
  };
}

function useQueuesPart(key: MessageKey): Part<readonly QueueState[]> {
  const { messages } = useSession();
  const permission = useMessagesPermission(key, 'messages:read');
  const read = async (signal: AbortSignal) => (await messages[key].listQueues({ signal })).items;
  const reading = useRead(`home/queues/${key}`, read, { everyMs: 5_000, enabled: permission.allowed });
  return { ...reading, permission };
}

/** One part: `key` is the service that has it. */
function usePart<T>(
  name: string,
  key: ServiceKey,
  scope: Scope,
  everyMs: number,
  read: (clients: Session['clients'], signal: AbortSignal) => Promise<T>,
): Part<T> {
  const { clients, may } = useSession();
  const permission = may(key, scope);
  const reading = useRead(`home/${name}`, (signal) => read(clients, signal), {
    everyMs,
    enabled: permission.allowed,
  });
  return { ...reading, permission };
}
