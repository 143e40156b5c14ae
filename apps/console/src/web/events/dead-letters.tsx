import type { DeadLetter } from '@keelson/contracts';
import { useState } from 'react';
import { useAct } from '../api/use-act.ts';
import { useList } from '../api/use-list.ts';
import { Failure } from '../parts/failure.tsx';
import { Filters, SelectFilter } from '../parts/filters.tsx';
import { ListView } from '../parts/list-view.tsx';
import { MayButton } from '../parts/may.tsx';
import { Section } from '../parts/page.tsx';
import type { Column } from '../parts/table.tsx';
import { Time } from '../parts/time.tsx';
import { Link } from '../routing/link.tsx';
import { useQuery } from '../routing/location.ts';
import { addressOf } from '../routing/match.ts';
import { usePermission, useSession } from '../session/session.ts';
import { objectText } from './object.ts';

const OUTCOMES = {
  delivered: 'It was delivered.',
  rejected: 'The sink rejected it again',
  retry: 'The sink could not take it now; try again later',
} as const;

/** Events that a sink rejected for good, each with the reason, and the button that tries it again. */
export function DeadLetters({ sinks }: { readonly sinks: readonly string[] }) {
  const { clients } = useSession();
  const permission = usePermission('events', 'events:read');
  const replay = usePermission('events', 'events:replay');
  const [{ sink }] = useQuery();
  const [told, setTold] = useState<string>();
  const list = useList(
    `dead-letters?${sink ?? ''}`,
    (cursor, signal) => clients.events.listDeadLetters({ query: { sink, cursor }, signal }),
    (letter) => letter.id,
    { everyMs: 5_000, enabled: permission.allowed },
  );
  const redrive = useAct(async (letter: DeadLetter) => {
    const { outcome, reason } = await clients.events.redriveDeadLetter({ params: { id: letter.id } });
    setTold(reason === undefined ? OUTCOMES[outcome] : `${OUTCOMES[outcome]}: ${reason}`);
    list.refresh();
  });
  const columns: readonly Column<DeadLetter>[] = [
    {
      title: 'Event',
      kind: 'lead',
      cell: ({ event }) => <Link to={addressOf('event', { id: event.id })}>{event.reason}</Link>,
    },
    { title: 'Object', cell: ({ event }) => <span className="object">{objectText(event.object)}</span> },
    { title: 'Sink', cell: (letter) => letter.sink },
    { title: 'Why rejected', kind: 'wide', cell: (letter) => letter.reason },
    { title: 'Attempts', kind: 'number', cell: (letter) => letter.attempts },
    { title: 'When', cell: (letter) => <Time at={letter.at} /> },
    {
      title: 'Again',
      cell: (letter) => (
        <MayButton permission={replay} onClick={() => void redrive.run(letter)}>
          Try again
        </MayButton>
      ),
    },
  ];
  return (
    <Section title="Dead letters" id="dead-letters">
      <p className="quiet">Events that a sink rejected for good.</p>
      {sinks.length < 2 ? null : (
        <Filters what="dead letters">
          <SelectFilter name="sink" label="Sink" options={sinks} />
        </Filters>
      )}
      <p role="status" className={told === undefined ? 'unseen' : 'told'}>
        {told}
      </p>
      {redrive.error === undefined ? null : <Failure error={redrive.error} />}
      <ListView
        list={list}
        permission={permission}
        noun={{ one: 'dead letter', many: 'dead letters' }}
        columns={columns}
        keyOf={(letter) => letter.id}
        empty={{ icon: 'good', title: 'No dead letter', hint: 'Every event was delivered, or is still on its way.' }}
      />
    </Section>
  );
}
