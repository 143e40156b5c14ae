import { useCallback, useState } from 'react';
import { readCache } from './api/read-cache.ts';
import { Console } from './console.tsx';
import { SignIn } from './session/sign-in.tsx';
import { storedToken, storeToken } from './session/token.ts';

/** The sign-in page, or the console for the token of this tab. */
export function App() {
  const [token, setToken] = useState(storedToken);
  const [why, setWhy] = useState<string>();
  const signOut = useCallback((reason?: string) => {
    storeToken(undefined);
    readCache.clear();
    setWhy(reason);
    setToken(undefined);
  }, []);
  if (token === undefined) {
    return (
      <SignIn
        why={why}
        onToken={(accepted) => {
          storeToken(accepted);
          setWhy(undefined);
          setToken(accepted);
        }}
      />
    );
  }
  return <Console key={token} token={token} signOut={signOut} />;
}
