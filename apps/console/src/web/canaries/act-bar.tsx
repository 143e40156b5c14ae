import type { Canary } from '@keelson/contracts';
import { useId, useState } from 'react';
import { useAct } from '../api/use-act.ts';
import { Dialog } from '../parts/dialog.tsx';
import { MayButton } from '../parts/may.tsx';
import { useSession } from '../session/session.ts';
import type { Permission } from '../session/standing.ts';
import { ACT_NAMES, type ActName, ACTS, possible } from './acts.ts';
import { phaseText } from './phase.tsx';

/** The longest reason that the service keeps. */
const MAX_REASON = 500;

interface ActBarProps {
  readonly canary: Canary;
  /** Called once the service has done it. */
  readonly onDone: () => void;
}

/** What can be done to the release now. What cannot be stays in its place and says why. */
export function ActBar({ canary, onDone }: ActBarProps) {
  const { may } = useSession();
  const [asked, setAsked] = useState<ActName>();
  const permissions = ACT_NAMES.map((act): [ActName, Permission] => {
    const fits = possible(act, canary.phase);
    return [act, fits.allowed ? may('canaries', ACTS[act].scope) : fits];
  });
  const idle = ACT_NAMES.every((act) => !possible(act, canary.phase).allowed);
  const denied = permissions.filter(([act, permission]) => !permission.allowed && possible(act, canary.phase).allowed);
  const reasons = new Set(denied.flatMap(([, permission]) => (permission.allowed ? [] : [permission.reason])));
  return (
    <>
      <div className="act-bar" role="group" aria-label="What can be done to this release">
        {permissions.map(([act, permission]) => (
          <MayButton
            key={act}
            permission={permission}
            tone={act === 'abort' ? 'bad' : 'normal'}
            primary={act === 'abort' && permission.allowed}
            onClick={() => setAsked(act)}
          >
            {ACTS[act].verb}
          </MayButton>
        ))}
      </div>
      {idle ? (
        <p className="quiet small act-reason">
          The release is {phaseText(canary.phase)}; the next one begins when the Canary is changed.
        </p>
      ) : null}
      {[...reasons].map((reason) => (
        <p key={reason} className="quiet small act-reason">
          {reason}
        </p>
      ))}
      {asked === undefined ? null : (
        <ActDialog
          canary={canary}
          act={asked}
          onClose={() => setAsked(undefined)}
          onDone={() => {
            setAsked(undefined);
            onDone();
          }}
        />
      )}
    </>
  );
}

interface ActDialogProps extends ActBarProps {
  readonly act: ActName;
  readonly onClose: () => void;
}

function ActDialog({ canary, act, onClose, onDone }: ActDialogProps) {
  const { clients } = useSession();
  const { namespace, name, spec } = canary;
  const [reason, setReason] = useState('');
  const field = useId();
  const { verb, effect } = ACTS[act];
  const write = useAct(async () => {
    const call = { params: { namespace, name }, body: { reason: reason.trim() } };
    switch (act) {
      case 'promote':
      case 'promote-full':
        await clients.canaries.promoteCanary({ ...call, body: { ...call.body, full: act === 'promote-full' } });
        return;
      case 'pause':
        await clients.canaries.pauseCanary(call);
        return;
      case 'resume':
        await clients.canaries.resumeCanary(call);
        return;
      case 'abort':
        await clients.canaries.abortCanary(call);
        return;
      default:
        act satisfies never;
    }
  });
  const confirm = async (): Promise<void> => {
    if (await write.run()) onDone();
  };
  return (
    <Dialog
      title={`${verb}: ${namespace}/${name}`}
      verb={verb}
      tone={act === 'abort' ? 'bad' : 'normal'}
      pending={write.pending}
      error={write.error}
      // The judgement is skipped for good: every customer gets the new version.
      {...(act === 'promote-full' ? { typed: name } : {})}
      onConfirm={() => void confirm()}
      onClose={onClose}
    >
      <p>{effect}</p>
      <p className="quiet">
        Now {canary.weight} % of the traffic go to {spec.canary.deployment}, the rest to {spec.stable.deployment}.
      </p>
      <p className="field">
        <label htmlFor={field}>
          Reason <span className="quiet">(kept in the history)</span>
        </label>
        <textarea
          id={field}
          rows={2}
          maxLength={MAX_REASON}
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
      </p>
    </Dialog>
  );
}
