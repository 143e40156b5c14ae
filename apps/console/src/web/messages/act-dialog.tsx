import type { ParkedActResult } from '@keelson/contracts';
import { useEffect, useId, useRef, useState } from 'react';
import type { MessageKey } from '../../services.ts';
import { useAct } from '../api/use-act.ts';
import { Dialog } from '../parts/dialog.tsx';
import { useSession } from '../session/session.ts';
import type { ParkedFilter } from './filter.ts';

interface ActDialogProps {
  readonly act: 'redrive' | 'discard';
  readonly of: MessageKey;
  readonly queue: string;
  readonly filter: ParkedFilter;
  /** Only these; all that match where it is undefined. */
  readonly ids: readonly string[] | undefined;
  readonly onClose: () => void;
}

const plural = (count: number): string => `${count} ${count === 1 ? 'message' : 'messages'}`;

/** Sends again, or deletes: first counts, then asks, then does it call by call until all is done or it stops. */
export function ActDialog({ act, of, queue, filter, ids, onClose }: ActDialogProps) {
  const { messages } = useSession();
  const [rate, setRate] = useState('50');
  const [counted, setCounted] = useState<ParkedActResult>();
  const [done, setDone] = useState<ParkedActResult>();
  const closed = useRef(false);
  const field = useId();
  const perSecond = Number(rate);
  const call = (dryRun: boolean, run?: string): Promise<ParkedActResult> => {
    const body = {
      queue,
      ...filter,
      dryRun,
      limit: dryRun ? 10_000 : 1_000,
      ...(ids === undefined ? {} : { ids: [...ids] }),
    };
    return act === 'discard'
      ? messages[of].discardParked({ body })
      : messages[of].redriveParked({
          body: { ...body, ratePerSecond: perSecond, ...(run === undefined ? {} : { run }) },
        });
  };
  const counting = useAct(async () => setCounted(await call(true)));
  const acting = useAct(async () => {
    let total = 0;
    let run: string | undefined;
    for (;;) {
      const answer = await call(false, run);
      total += answer.done;
      run = answer.run;
      setDone({ ...answer, done: total });
      if (!answer.more || answer.stopped !== undefined || answer.done === 0 || closed.current) return;
    }
  });
  const { run: count } = counting;
  const begun = useRef(false);
  useEffect(() => {
    if (!begun.current) {
      begun.current = true;
      void count();
    }
    return () => {
      closed.current = true;
    };
  }, [count]);
  const close = (): void => {
    closed.current = true;
    onClose();
  };

  const title = act === 'redrive' ? 'Send again' : 'Delete for good';
  if (done !== undefined) {
    const past = act === 'redrive' ? 'sent again' : 'deleted';
    return (
      <Dialog
        title={title}
        verb={acting.pending ? 'Going on…' : 'Close'}
        pending={acting.pending}
        error={acting.error}
        onConfirm={close}
        onClose={close}
      >
        <p role="status">
          {plural(done.done)} {done.done === 1 ? 'was' : 'were'} {past}.
        </p>
        {done.stopped === undefined ? null : (
          <p className="refusal">
            {done.stopped.code === 'failed-again'
              ? 'Stopped, because one failed again: '
              : 'Stopped, because the queue did not take one: '}
            {done.stopped.detail}
          </p>
        )}
      </Dialog>
    );
  }
  const matched = counted?.matched ?? 0;
  const badRate = act === 'redrive' && !(perSecond >= 0.1 && perSecond <= 10_000);
  return (
    <Dialog
      title={title}
      verb={
        counted === undefined
          ? 'Count'
          : act === 'redrive'
            ? `Send ${plural(matched)} again`
            : `Delete ${plural(matched)}`
      }
      tone={act === 'discard' ? 'bad' : 'normal'}
      pending={counting.pending || acting.pending}
      blocked={(counted !== undefined && matched === 0) || badRate}
      error={counting.error ?? acting.error}
      {...(act === 'discard' ? { typed: queue } : {})}
      onConfirm={() => void (counted === undefined ? counting.run() : acting.run())}
      onClose={close}
    >
      <p role="status">
        {counted === undefined
          ? 'Counting…'
          : `${plural(matched)} of ${queue} ${matched === 1 ? 'is' : 'are'} meant${counted.more ? ', and there may be more' : ''}.`}
      </p>
      {act === 'redrive' ? (
        <>
          <p className="quiet">Each goes to its own queue under the same id. It stops when one fails again.</p>
          <p className="field">
            <label htmlFor={field}>Messages a second, at most</label>
            <input
              id={field}
              type="number"
              min="0.1"
              max="10000"
              step="any"
              required
              value={rate}
              onChange={(event) => setRate(event.target.value)}
            />
          </p>
        </>
      ) : (
        <p className="quiet">They are gone then. Export them first, if they may be wanted.</p>
      )}
    </Dialog>
  );
}
