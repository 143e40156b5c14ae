import { useId, useState } from 'react';
import { CodeLine } from '../parts/copy.tsx';
import { Section } from '../parts/page.tsx';

/**
 * The command that puts a load on the shop. It runs where it is typed and not in a service: a load generator that shares
 * a process, or a CPU quota, with what it measures measures itself.
 */
export function LoadControl() {
  const [rate, setRate] = useState('50');
  const [seconds, setSeconds] = useState('60');
  const rateField = useId();
  const timeField = useId();
  const fits = Number(rate) > 0 && Number.isInteger(Number(seconds)) && Number(seconds) > 0;
  return (
    <Section title="Put a load on it">
      <form className="load" onSubmit={(event) => event.preventDefault()}>
        <p className="field">
          <label htmlFor={rateField}>Orders a second</label>
          <input id={rateField} type="number" min="1" value={rate} onChange={(event) => setRate(event.target.value)} />
        </p>
        <p className="field">
          <label htmlFor={timeField}>For seconds</label>
          <input
            id={timeField}
            type="number"
            min="1"
            value={seconds}
            onChange={(event) => setSeconds(event.target.value)}
          />
        </p>
      </form>
      {fits ? (
        <CodeLine code={`keelson orders load --rate ${Number(rate)} --for ${Number(seconds)}s`} what="command line" />
      ) : (
        <p className="refusal">Both must be whole numbers above 0.</p>
      )}
      <p className="quiet small">
        Run it on another machine, or in a terminal of this one; Ctrl-C ends it. It does not run in a service, since a
        load that shares its process with what it measures measures itself.
      </p>
    </Section>
  );
}
