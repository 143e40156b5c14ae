import { type FormEvent, useEffect, useId, useState } from 'react';
import { SERVICE_KEYS, SERVICES } from '../../services.ts';
import { platformStatusSchema } from '../../status.ts';
import { identityClients } from '../api/clients.ts';
import { useRead } from '../api/use-read.ts';
import { Icon } from '../parts/icon.tsx';
import { Mark } from '../parts/mark.tsx';
import { ThemeButton } from '../parts/theme.tsx';
import { readStandings, type Standings } from './standing.ts';

interface SignInProps {
  /** Why one was signed out, where it was not by choice. */
  readonly why: string | undefined;
  readonly onToken: (token: string) => void;
}

/** Asks for an API token and checks it with the services before it is kept. */
export function SignIn({ why, onToken }: SignInProps) {
  const field = useId();
  const [token, setToken] = useState('');
  const [shown, setShown] = useState(false);
  const [checking, setChecking] = useState(false);
  const [refusal, setRefusal] = useState<string | undefined>(why);
  useEffect(() => {
    document.title = 'Sign in · Keelson';
  }, []);

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const given = token.trim();
    if (!/^[\x21-\x7e]+$/.test(given)) {
      setRefusal(given === '' ? 'Paste a token first.' : 'A token has no blanks and no letters beyond ASCII.');
      return;
    }
    setChecking(true);
    const standings = await readStandings(identityClients(given));
    setChecking(false);
    const refused = refusalOf(standings);
    if (refused === undefined) onToken(given);
    else setRefusal(refused);
  };

  return (
    <main className="sign-in">
      <div className="sign-in-card">
        <p className="brand">
          <Mark />
          Keelson
        </p>
        <h1>Sign in</h1>
        <p className="quiet">
          with an API token, the one that the command line uses as <code>KEELSON_TOKEN</code>. <code>npm start</code>{' '}
          prints one; <code>keelson token create</code> makes more.
        </p>
        <form onSubmit={(event) => void submit(event)}>
          <p className="field">
            <label htmlFor={field}>Token</label>
            <span className="with-button">
              <input
                id={field}
                type={shown ? 'text' : 'password'}
                value={token}
                onChange={(event) => setToken(event.target.value)}
                autoComplete="off"
                autoCapitalize="off"
                spellCheck={false}
                // The only thing to do on this page.
                autoFocus
                aria-invalid={refusal !== undefined}
                aria-describedby={refusal === undefined ? undefined : `${field}-refusal`}
              />
              <button type="button" className="button" onClick={() => setShown(!shown)} aria-pressed={shown}>
                {shown ? 'Hide' : 'Show'}
              </button>
            </span>
          </p>
          {refusal === undefined ? null : (
            <p className="refusal" role="alert" id={`${field}-refusal`}>
              <Icon name="bad" />
              {refusal}
            </p>
          )}
          <button type="submit" className="button primary" disabled={checking}>
            {checking ? 'Asking the services…' : 'Sign in'}
          </button>
        </form>
        <p className="quiet small">The token stays in this tab: it is gone when the tab is closed.</p>
        <ServiceLine />
      </div>
      <div className="sign-in-theme">
        <ThemeButton />
      </div>
    </main>
  );
}

/** Whether there is anything to sign in to. */
function ServiceLine() {
  const { data } = useRead(
    'sign-in/status',
    async (signal) => platformStatusSchema.parse(await (await fetch('/api/status', { signal })).json()),
    { everyMs: 5_000 },
  );
  if (data === undefined) return null;
  const away = data.services.filter((one) => one.state !== 'ready');
  return (
    <p className="service-line small" role="status">
      <Icon name={away.length === 0 ? 'good' : 'warn'} />
      {away.length === 0
        ? 'All four services are ready.'
        : `Not ready: ${away.map((one) => `${one.service} (${one.reason ?? one.state})`).join(', ')}.`}
    </p>
  );
}

/** Why a token is refused; undefined where at least one service knows it. */
export function refusalOf(standings: Standings): string | undefined {
  const kinds = SERVICE_KEYS.map((key) => standings[key].kind);
  if (kinds.includes('known')) return undefined;
  if (!kinds.includes('no-answer')) return 'No service knows this token.';
  const away = SERVICE_KEYS.filter((key) => standings[key].kind === 'no-answer').map((key) => SERVICES[key].service);
  return away.length === SERVICE_KEYS.length
    ? 'No service answers, so the token cannot be checked now.'
    : `The services that answer do not know this token; ${away.join(', ')} cannot be asked now.`;
}
