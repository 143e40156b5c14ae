import type { QueueState } from '@keelson/contracts';
import { useQueues } from '../messages/messages-page.tsx';
import { Section } from '../parts/page.tsx';
import { Empty, Show } from '../parts/reading.tsx';
import { Link } from '../routing/link.tsx';
import { addressOf } from '../routing/match.ts';

/** What the roles do, in the order in which an order passes them; those of one stage work at the same time. */
const STAGES: readonly (readonly { queue: string; does: string }[])[] = [
  [{ queue: 'order-demo.inventory', does: 'Decide what is next' }],
  [{ queue: 'order-demo.payments', does: 'Take the payment' }],
  [
    { queue: 'order-demo.documents', does: 'Make the invoice' },
    { queue: 'order-demo.coupons', does: 'Grant the coupon' },
    { queue: 'order-demo.notifications', does: 'Send the SMS' },
  ],
];

const count = new Intl.NumberFormat('en');

/** How many orders wait at each step now, and how fast they go on. */
export function Flow() {
  const { permission, reading } = useQueues('orders');
  return (
    <Section title="Where orders are now">
      {permission.allowed ? (
        <Show reading={reading} what="the flow" lines={3}>
          {({ items }) => {
            const known = new Map(items.map((item) => [item.queue, item]));
            return (
              <ol className="flow">
                {STAGES.map((steps) => (
                  <li key={steps[0]!.queue}>
                    <ul>
                      {steps.map(({ queue, does }) => (
                        <Step key={queue} does={does} queue={queue} state={known.get(queue)} />
                      ))}
                    </ul>
                  </li>
                ))}
              </ol>
            );
          }}
        </Show>
      ) : (
        <Empty icon="info" title={permission.reason} />
      )}
    </Section>
  );
}

interface StepProps {
  readonly does: string;
  readonly queue: string;
  readonly state: QueueState | undefined;
}

function Step({ does, queue, state }: StepProps) {
  const at = (state?.ready ?? 0) + (state?.unacknowledged ?? 0);
  const unread = state !== undefined && (state.consumers === 0 || state.fault !== undefined);
  const parked = state?.parked ?? 0;
  const tone = unread ? 'bad' : parked > 0 ? 'warn' : undefined;
  return (
    <li className="flow-step" data-tone={tone}>
      <Link to={addressOf('queue', { queue })}>{does}</Link>
      <b>{state === undefined ? '–' : count.format(at)}</b>
      <span className="quiet small">
        {state?.rates === undefined ? 'here now' : `here now, ${state.rates.acknowledged.toFixed(1)} done a second`}
      </span>
      {unread ? <span className="flow-note small">nobody reads it</span> : null}
      {parked === 0 ? null : <span className="flow-note small">{count.format(parked)} parked</span>}
    </li>
  );
}
