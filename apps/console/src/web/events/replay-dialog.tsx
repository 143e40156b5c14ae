import { useEffect, useId, useState } from 'react';
import { useAct } from '../api/use-act.ts';
import { Dialog } from '../parts/dialog.tsx';
import { useSession } from '../session/session.ts';

/** `2026-01-31T12:00` in the viewer's zone, as the browser's field has it. */
function localText(at: Date): string {
  const shifted = new Date(at.getTime() - at.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 16);
}

const HOUR_MS = 3_600_000;

/** Delivers a part of the journal to a sink once more; how much that is is counted first. */
export function ReplayDialog({ sink, onClose }: { readonly sink: string; readonly onClose: () => void }) {
  const { clients } = useSession();
  const [since, setSince] = useState(() => localText(new Date(Date.now() - HOUR_MS)));
  const [until, setUntil] = useState('');
  const [count, setCount] = useState<number>();
  const [done, setDone] = useState<number>();
  const from = useId();
  const to = useId();
  const call = async (dryRun: boolean): Promise<number> => {
    const range = {
      since: new Date(since).toISOString(),
      ...(until === '' ? {} : { until: new Date(until).toISOString() }),
    };
    return (await clients.events.replay({ params: { name: sink }, body: { ...range, dryRun } })).count;
  };
  const counting = useAct(async () => setCount(await call(true)));
  const replaying = useAct(async () => setDone(await call(false)));
  // What was counted holds for the range that was counted.
  useEffect(() => setCount(undefined), [since, until]);

  if (done !== undefined) {
    return (
      <Dialog
        title={`Replay to ${sink}`}
        verb="Close"
        pending={false}
        error={undefined}
        onConfirm={onClose}
        onClose={onClose}
      >
        <p role="status">
          {done} events are being delivered to {sink} once more.
        </p>
      </Dialog>
    );
  }
  return (
    <Dialog
      title={`Replay to ${sink}`}
      verb={count === undefined ? 'Count' : `Deliver ${count} again`}
      pending={counting.pending || replaying.pending}
      error={counting.error ?? replaying.error}
      onConfirm={() => void (count === undefined ? counting.run() : replaying.run())}
      onClose={onClose}
    >
      <p>Events of this time are delivered to the sink once more. Whoever reads it gets them twice.</p>
      <p className="field">
        <label htmlFor={from}>From</label>
        <input
          id={from}
          type="datetime-local"
          value={since}
          required
          onChange={(event) => setSince(event.target.value)}
        />
      </p>
      <p className="field">
        <label htmlFor={to}>
          To <span className="quiet">(now, if empty)</span>
        </label>
        <input id={to} type="datetime-local" value={until} onChange={(event) => setUntil(event.target.value)} />
      </p>
      <p role="status" className="quiet">
        {count === undefined
          ? 'Nothing is delivered before you saw how much it is.'
          : `${count} events would be delivered.`}
      </p>
    </Dialog>
  );
}
