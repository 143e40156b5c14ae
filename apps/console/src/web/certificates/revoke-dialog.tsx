import { type Certificate, revocationReason, type RevocationReason } from '@keelson/contracts';
import { useId, useState } from 'react';
import { useAct } from '../api/use-act.ts';
import { Dialog } from '../parts/dialog.tsx';
import { useSession } from '../session/session.ts';
import { namesOf } from './expiry.ts';

/** What each reason means (RFC 5280, section 5.3.1), for whoever chooses one. */
const MEANINGS: Readonly<Record<RevocationReason, string>> = {
  unspecified: 'no reason given',
  keyCompromise: 'the private key may be known to others',
  cACompromise: 'the key of an authority may be known to others',
  affiliationChanged: 'the holder belongs elsewhere now',
  superseded: 'another certificate takes its place',
  cessationOfOperation: 'what it was for is gone',
  certificateHold: 'not to be accepted for now',
  privilegeWithdrawn: 'the holder may no longer have it',
  aACompromise: 'an attribute authority may be compromised',
};

interface RevokeDialogProps {
  readonly certificate: Certificate;
  readonly onClose: () => void;
  readonly onDone: () => void;
}

/** Asks for the reason, and for the first name to be typed: a revocation takes down whatever uses the certificate. */
export function RevokeDialog({ certificate, onClose, onDone }: RevokeDialogProps) {
  const { clients } = useSession();
  const [reason, setReason] = useState<RevocationReason>('superseded');
  const field = useId();
  const write = useAct(async () => {
    await clients.certificates.revokeCertificate({ params: { id: certificate.id }, body: { reason } });
  });
  const confirm = async (): Promise<void> => {
    if (await write.run()) onDone();
  };
  const [name] = namesOf(certificate);
  return (
    <Dialog
      title="Revoke the certificate"
      verb="Revoke"
      tone="bad"
      pending={write.pending}
      error={write.error}
      typed={name}
      onConfirm={() => void confirm()}
      onClose={onClose}
    >
      <p>
        Whoever looks at the revocation list refuses <strong>{namesOf(certificate).join(', ')}</strong> from then on.
        This cannot be undone.
      </p>
      <p className="field">
        <label htmlFor={field}>Reason</label>
        <select id={field} value={reason} onChange={(event) => setReason(event.target.value as RevocationReason)}>
          {revocationReason.options.map((option) => (
            <option key={option} value={option}>
              {option}: {MEANINGS[option]}
            </option>
          ))}
        </select>
      </p>
    </Dialog>
  );
}
