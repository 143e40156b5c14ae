import type { ReactNode } from 'react';
import type { PageName } from '../pages.ts';
import { Icon, type IconName } from './parts/icon.tsx';
import { Mark } from './parts/mark.tsx';
import { ThemeButton } from './parts/theme.tsx';
import { Link } from './routing/link.tsx';
import { usePath } from './routing/location.ts';
import { matchPage } from './routing/match.ts';
import { useSession } from './session/session.ts';

interface Place {
  readonly title: string;
  readonly icon: IconName;
  readonly to: string;
  readonly pages: readonly PageName[];
}

const PLACES: readonly Place[] = [
  { title: 'Home', icon: 'home', to: '/', pages: ['home'] },
  { title: 'Canaries', icon: 'canary', to: '/canaries', pages: ['canaries', 'canary'] },
  { title: 'Events', icon: 'events', to: '/events', pages: ['events', 'event', 'sinks'] },
  { title: 'Orders', icon: 'orders', to: '/orders', pages: ['orders', 'order'] },
  { title: 'Messages', icon: 'messages', to: '/messages', pages: ['messages', 'queue'] },
  { title: 'Certificates', icon: 'certificate', to: '/certificates', pages: ['certificates', 'certificate'] },
];

/** What is around every page: where one can go, and who one is. */
export function Frame({ children }: { readonly children: ReactNode }) {
  const { identity, signOut } = useSession();
  const page = matchPage(usePath())?.page;
  return (
    <div className="frame">
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <header className="top">
        <Link to="/" className="brand" aria-label="Keelson, home">
          <Mark />
          <span>Keelson</span>
        </Link>
        <div className="who">
          <span
            className="who-name"
            title={identity === undefined ? undefined : `scopes: ${identity.scopes.join(', ')}`}
          >
            {identity === undefined ? '' : <Who name={identity.name} team={identity.team} />}
          </span>
          <ThemeButton />
          <button type="button" className="bare" onClick={() => signOut()} aria-label="Sign out" title="Sign out">
            <Icon name="out" />
          </button>
        </div>
      </header>
      <nav className="places" aria-label="Pages">
        {PLACES.map(({ title, icon, to, pages }) => (
          <Link key={to} to={to} aria-current={page !== undefined && pages.includes(page) ? 'page' : undefined}>
            <Icon name={icon} />
            <span>{title}</span>
          </Link>
        ))}
      </nav>
      <main id="main" tabIndex={-1}>
        {children}
      </main>
    </div>
  );
}

function Who({ name, team }: { readonly name: string; readonly team: string }) {
  return (
    <>
      <strong>{name}</strong> <span className="quiet">{team === '*' ? 'every team' : `team ${team}`}</span>
    </>
  );
}
