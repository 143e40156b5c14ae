import { StrictMode, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import type { PlatformStatus } from '../status.ts';

function App() {
  const [status, setStatus] = useState<PlatformStatus>();
  useEffect(() => {
    const read = async (): Promise<void> => {
      const answer = await fetch('/api/status');
      if (answer.ok) setStatus((await answer.json()) as PlatformStatus);
    };
    void read();
    const timer = setInterval(() => void read(), 2_000);
    return () => clearInterval(timer);
  }, []);
  return (
    <main>
      <h1>Keelson</h1>
      <ul>
        {status?.services.map((one) => (
          <li key={one.key}>
            {one.service}: {one.state}
            {one.reason === undefined ? '' : `, ${one.reason}`}
          </li>
        ))}
      </ul>
    </main>
  );
}

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
