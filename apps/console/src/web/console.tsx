import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import { SERVICE_KEYS } from '../services.ts';
import { identityClients, makeClients, messageClients } from './api/clients.ts';
import { useRead } from './api/use-read.ts';
import { CanariesPage } from './canaries/canaries-page.tsx';
import { CanaryPage } from './canaries/canary-page.tsx';
import { CertificatePage } from './certificates/certificate-page.tsx';
import { CertificatesPage } from './certificates/certificates-page.tsx';
import { EventPage } from './events/event-page.tsx';
import { EventsPage } from './events/events-page.tsx';
import { SinksPage } from './events/sinks-page.tsx';
import { Frame } from './frame.tsx';
import { HomePage } from './home/home-page.tsx';
import { MessagesPage } from './messages/messages-page.tsx';
import { QueuePage } from './messages/queue-page.tsx';
import { OrderPage } from './orders/order-page.tsx';
import { OrdersPage } from './orders/orders-page.tsx';
import { Empty } from './parts/reading.tsx';
import { Page } from './parts/page.tsx';
import { Link } from './routing/link.tsx';
import { usePath } from './routing/location.ts';
import { matchPage, type PageMatch } from './routing/match.ts';
import { type Session, SessionContext } from './session/session.ts';
import { ASKING, identityOf, mayDo, readStandings, type Standings } from './session/standing.ts';

/** How often it is asked what the token may do: tokens are changed without the page knowing. */
const STANDINGS_EVERY_MS = 30_000;
/** While a service has not answered yet. */
const STANDINGS_AGAIN_MS = 3_000;

interface ConsoleProps {
  readonly token: string;
  readonly signOut: (why?: string) => void;
}

/** The console for whoever is signed in. */
export function Console({ token, signOut }: ConsoleProps) {
  const ask = useMemo(() => identityClients(token), [token]);
  const clients = useMemo(() => makeClients(token), [token]);
  const messages = useMemo(() => messageClients(token), [token]);
  const [everyMs, setEveryMs] = useState(STANDINGS_AGAIN_MS);
  const latest = useRef<Standings>(ASKING);
  const { data: standings = ASKING } = useRead(
    'standings',
    async (signal) => (latest.current = await readStandings(ask, { signal, before: latest.current })),
    { everyMs },
  );
  const silent = SERVICE_KEYS.some((key) => standings[key].kind === 'no-answer' || standings[key].kind === 'asking');
  useEffect(() => setEveryMs(silent ? STANDINGS_AGAIN_MS : STANDINGS_EVERY_MS), [silent]);
  const refused = SERVICE_KEYS.every((key) => standings[key].kind === 'unknown');
  useEffect(() => {
    if (refused) signOut('No service knows your token any more.');
  }, [refused, signOut]);

  const session = useMemo(
    (): Session => ({
      clients,
      messages,
      identity: identityOf(standings),
      may: (key, scope) => mayDo(standings, key, scope),
      signOut,
    }),
    [clients, messages, standings, signOut],
  );
  return (
    <SessionContext value={session}>
      <Frame>
        <Route />
      </Frame>
    </SessionContext>
  );
}

function Route() {
  const path = usePath();
  const match = matchPage(path);
  if (match === undefined) return <NoPage />;
  return pageOf(match, path);
}

/** The key makes a new page of it where only a parameter changes: its heading takes the focus again. */
function pageOf(match: PageMatch, key: string): ReactNode {
  switch (match.page) {
    case 'home':
      return <HomePage />;
    case 'canaries':
      return <CanariesPage />;
    case 'canary':
      return <CanaryPage key={key} {...match.params} />;
    case 'events':
      return <EventsPage />;
    case 'event':
      return <EventPage key={key} {...match.params} />;
    case 'sinks':
      return <SinksPage />;
    case 'orders':
      return <OrdersPage />;
    case 'order':
      return <OrderPage key={key} {...match.params} />;
    case 'messages':
      return <MessagesPage />;
    case 'queue':
      return <QueuePage key={key} {...match.params} />;
    case 'certificates':
      return <CertificatesPage />;
    case 'certificate':
      return <CertificatePage key={key} {...match.params} />;
    default:
      return match satisfies never;
  }
}

function NoPage() {
  return (
    <Page title="There is no such page">
      <Empty icon="info" title="The address leads nowhere">
        <Link to="/">Go to what is wrong now</Link>
      </Empty>
    </Page>
  );
}
