import type { ParkedGroup } from '@keelson/contracts';
import { type MessageKey, MESSAGE_KEYS, SERVICES } from '../../services.ts';
import { useRead } from '../api/use-read.ts';
import { Elsewhere } from '../parts/elsewhere.tsx';
import { Page, Section } from '../parts/page.tsx';
import { Empty, Show } from '../parts/reading.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { Time } from '../parts/time.tsx';
import { Link } from '../routing/link.tsx';
import { addressOf } from '../routing/match.ts';
import { useSession } from '../session/session.ts';
import { QueueTable } from './queue-table.tsx';
import { useMessagesPermission } from './which.ts';

/** Every queue of the platform, and what was given up, by error. */
export function MessagesPage() {
  return (
    <Page title="Messages" lead="Queues between the services, and the messages that their consumers gave up.">
      {MESSAGE_KEYS.map((key) => (
        <ServiceQueues key={key} of={key} />
      ))}
      <Section title="Given up, by error" id="parked">
        {MESSAGE_KEYS.map((key) => (
          <Groups key={key} of={key} />
        ))}
      </Section>
      <Elsewhere
        api={['GET /v1/messages/queues', 'GET /v1/messages/parked/groups?queue=…']}
        cli={['keelson messages queues', 'keelson messages parked', 'keelson messages doctor']}
      />
    </Page>
  );
}

/** The queues of a service, read every two seconds. */
export const useQueues = (key: MessageKey) => {
  const { messages } = useSession();
  const permission = useMessagesPermission(key, 'messages:read');
  const reading = useRead(`queues/${key}`, (signal) => messages[key].listQueues({ signal }), {
    everyMs: 2_000,
    enabled: permission.allowed,
  });
  return { permission, reading };
};

function ServiceQueues({ of }: { readonly of: MessageKey }) {
  const { permission, reading } = useQueues(of);
  return (
    <Section title={`Queues of ${SERVICES[of].service}`}>
      {permission.allowed ? (
        <Show reading={reading} what="queues" lines={4}>
          {({ items, source }) => (
            <>
              <QueueTable queues={items} />
              {source === 'amqp' ? (
                <p className="quiet small">
                  No rates: the service has no <code>AMQP_MANAGEMENT_URL</code>.
                </p>
              ) : null}
            </>
          )}
        </Show>
      ) : (
        <Empty icon="info" title={permission.reason} />
      )}
    </Section>
  );
}

type Row = ParkedGroup & { readonly queue: string };

const COLUMNS: readonly Column<Row>[] = [
  {
    title: 'Error',
    kind: 'lead',
    cell: ({ queue, code, type }) => (
      <Link to={addressOf('queue', { queue }, { code, type })} className="row-link">
        {code}
      </Link>
    ),
  },
  { title: 'Queue', cell: ({ queue }) => queue },
  { title: 'Message', cell: ({ type }) => <code>{type.replace('dev.keelson.', '')}</code> },
  { title: 'How many', kind: 'number', cell: ({ count }) => count },
  { title: 'For example', kind: 'wide', cell: ({ example }) => <span className="message">{example}</span> },
  { title: 'Last', cell: ({ lastFailedAt }) => (lastFailedAt === undefined ? '' : <Time at={lastFailedAt} />) },
];

function Groups({ of }: { readonly of: MessageKey }) {
  const { messages } = useSession();
  const { permission, reading: queues } = useQueues(of);
  const parked = queues.data?.items.filter((one) => one.parked > 0).map(({ queue }) => queue);
  const reading = useRead(
    `groups/${of}?${JSON.stringify(parked)}`,
    async (signal) => {
      const found = await Promise.all(
        (parked ?? []).map(async (queue) => {
          const { items } = await messages[of].groupParked({ query: { queue }, signal });
          return items.map((group) => ({ ...group, queue }));
        }),
      );
      return found.flat();
    },
    { everyMs: 15_000, enabled: permission.allowed && parked !== undefined },
  );
  if (!permission.allowed) return null;
  return (
    <Show reading={reading} what="parked messages" lines={2}>
      {(rows) =>
        rows.length === 0 ? (
          <Empty icon="good" title={`${SERVICES[of].service} gave nothing up`} />
        ) : (
          <Table
            caption={`parked messages of ${SERVICES[of].service} by error`}
            columns={COLUMNS}
            rows={rows}
            keyOf={({ queue, code, type }) => `${queue} ${code} ${type}`}
          />
        )
      }
    </Show>
  );
}
