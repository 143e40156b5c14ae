import type { Order } from '@keelson/contracts';
import { useState } from 'react';
import { useAct } from '../api/use-act.ts';
import { useRead } from '../api/use-read.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Elsewhere } from '../parts/elsewhere.tsx';
import { Facts } from '../parts/facts.tsx';
import { MayButton } from '../parts/may.tsx';
import { Page, Section } from '../parts/page.tsx';
import { Empty, Show } from '../parts/reading.tsx';
import { pause } from '../parts/relative.ts';
import { Table } from '../parts/table.tsx';
import { Clock, Instant } from '../parts/time.tsx';
import { Link } from '../routing/link.tsx';
import { addressOf } from '../routing/match.ts';
import { usePermission, useSession } from '../session/session.ts';
import type { Permission } from '../session/standing.ts';
import { amount } from './money.ts';
import { SagaSection } from './saga-section.tsx';
import { StatusBadge } from './status.tsx';

/** One order and what has happened to it. */
export function OrderPage({ id }: { readonly id: string }) {
  const { clients } = useSession();
  const permission = usePermission('orders', 'orders:read');
  const [ended, setEnded] = useState(false);
  const order = useRead(
    `order/${id}`,
    async (signal) => {
      const read = await clients.orders.getOrder({ params: { id }, signal });
      setEnded(read.status !== 'accepted');
      return read;
    },
    { everyMs: ended ? undefined : 1_000, enabled: permission.allowed },
  );
  const { data } = order;
  return (
    <Page
      title={data?.documentNumber ?? 'Order'}
      back={<Link to={addressOf('orders')}>Orders</Link>}
      lead={data === undefined ? undefined : <StatusBadge status={data.status} />}
      actions={data === undefined ? undefined : <Cancel order={data} onDone={order.refresh} />}
    >
      {permission.allowed ? (
        <Show reading={order} what="the order" lines={8}>
          {(found) => <Detail order={found} />}
        </Show>
      ) : (
        <Empty icon="info" title={permission.reason} />
      )}
      <Elsewhere
        api={[`GET /v1/orders/${id}`, `GET /v1/orders/${id}/saga`, `POST /v1/orders/${id}/cancel`]}
        cli={[`keelson orders get ${id}`]}
      />
    </Page>
  );
}

function Detail({ order }: { readonly order: Order }) {
  return (
    <>
      <Section title="What was ordered">
        <Facts
          facts={{
            Customer: <Link to={addressOf('orders', undefined, { customer: order.customer })}>{order.customer}</Link>,
            Accepted: <Instant at={order.acceptedAt} />,
            'Accepted by': `version ${order.acceptedBy}`,
            Total: amount(order.totalCents),
            Id: <code>{order.id}</code>,
          }}
        />
        <Table
          caption="lines of the order"
          columns={[
            { title: 'Article', kind: 'lead', cell: (line) => line.sku },
            { title: 'Quantity', kind: 'number', cell: (line) => line.quantity },
          ]}
          rows={order.lines}
          keyOf={(line) => line.sku}
        />
      </Section>
      <SagaSection order={order} />
      <Section title="What happened">
        <ol className="course">
          {order.history.map(({ step, at, detail }, index) => {
            const before = order.history[index - 1];
            const waited = before === undefined ? undefined : Date.parse(at) - Date.parse(before.at);
            return (
              <li key={`${step} ${at}`}>
                <Clock at={at} />
                <span>
                  <strong>{stepText(step)}</strong> <span className="quiet">{detail}</span>
                </span>
                <span className="quiet small">{waited === undefined ? '' : `after ${pause(waited)}`}</span>
              </li>
            );
          })}
        </ol>
      </Section>
    </>
  );
}

/** `sms-sent` as people say it. */
const stepText = (step: string): string => step.replaceAll('-', ' ').replace(/^sms\b/, 'SMS');

function Cancel({ order, onDone }: { readonly order: Order; readonly onDone: () => void }) {
  const { clients, may } = useSession();
  const [asked, setAsked] = useState(false);
  const write = useAct(async () => {
    await clients.orders.cancelOrder({ params: { id: order.id } });
  });
  const fits: Permission =
    order.status === 'accepted'
      ? may('orders', 'orders:write')
      : { allowed: false, reason: `Only an order that is not ended can be cancelled; this one is ${order.status}.` };
  const confirm = async (): Promise<void> => {
    if (!(await write.run())) return;
    setAsked(false);
    onDone();
  };
  return (
    <>
      <MayButton permission={fits} tone="bad" say onClick={() => setAsked(true)}>
        Cancel the order
      </MayButton>
      {asked ? (
        <Dialog
          title={`Cancel ${order.documentNumber}`}
          verb="Cancel the order"
          tone="bad"
          pending={write.pending}
          error={write.error}
          typed={order.documentNumber}
          onConfirm={() => void confirm()}
          onClose={() => setAsked(false)}
        >
          <p>Its stock is released and its coupon taken back. This cannot be undone.</p>
        </Dialog>
      ) : null}
    </>
  );
}
