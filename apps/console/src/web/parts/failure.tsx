import { useSession } from '../session/session.ts';
import { explain } from './explain.ts';
import { Icon } from './icon.tsx';

/** Tells why something could not be read or done, and the ways out. */
export function Failure({ error, retry }: { readonly error: unknown; readonly retry?: () => void }) {
  const { signOut } = useSession();
  const { title, detail, faults, requestId, signIn } = explain(error);
  return (
    <div className="failure" role="alert">
      <Icon name="bad" />
      <div>
        <p className="failure-title">{title}</p>
        {detail === undefined ? null : <p>{detail}</p>}
        {faults.length === 0 ? null : (
          <ul>
            {faults.map((fault) => (
              <li key={fault}>{fault}</li>
            ))}
          </ul>
        )}
        {requestId === undefined ? null : (
          <p className="quiet">
            request <code>{requestId}</code>
          </p>
        )}
        <div className="buttons">
          {retry === undefined ? null : (
            <button type="button" className="button" onClick={retry}>
              Try again
            </button>
          )}
          {signIn ? (
            <button type="button" className="button" onClick={() => signOut()}>
              Sign in with another token
            </button>
          ) : null}
        </div>
      </div>
    </div>
  );
}
