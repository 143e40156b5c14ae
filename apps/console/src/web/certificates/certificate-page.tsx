import type { Certificate } from '@keelson/contracts';
import { Fragment, useState } from 'react';
import { useRead } from '../api/use-read.ts';
import { Elsewhere } from '../parts/elsewhere.tsx';
import { Facts } from '../parts/facts.tsx';
import { MayButton } from '../parts/may.tsx';
import { Page, Section } from '../parts/page.tsx';
import { Empty, Show } from '../parts/reading.tsx';
import { Instant } from '../parts/time.tsx';
import { useNow } from '../parts/use-now.ts';
import { Link } from '../routing/link.tsx';
import { addressOf } from '../routing/match.ts';
import { usePermission, useSession } from '../session/session.ts';
import type { Permission } from '../session/standing.ts';
import { ChainView } from './chain-view.tsx';
import { octets } from './chain.ts';
import { namesOf } from './expiry.ts';
import { LifeBar } from './life-bar.tsx';
import { RevokeDialog } from './revoke-dialog.tsx';
import { StateBadge } from './states.tsx';

/** One certificate: whom it is for, how long it lives, what it hangs on. */
export function CertificatePage({ id }: { readonly id: string }) {
  const { clients } = useSession();
  const permission = usePermission('certificates', 'certificates:read');
  const certificate = useRead(
    `certificate/${id}`,
    (signal) => clients.certificates.getCertificate({ params: { id }, signal }),
    { everyMs: 5_000, enabled: permission.allowed },
  );
  const { data } = certificate;
  return (
    <Page
      title={data === undefined ? 'Certificate' : namesOf(data)[0]!}
      back={<Link to={addressOf('certificates')}>Certificates</Link>}
      lead={data === undefined ? undefined : <Lead certificate={data} />}
      actions={data === undefined ? undefined : <Revoke certificate={data} onDone={certificate.refresh} />}
    >
      {permission.allowed ? (
        <Show reading={certificate} what="the certificate" lines={8}>
          {(found) => <Detail certificate={found} />}
        </Show>
      ) : (
        <Empty icon="info" title={permission.reason} />
      )}
      <Elsewhere
        api={[`GET /v1/certificates/${id}`, `POST /v1/certificates/${id}/revoke`]}
        cli={[`keelson cert get ${id}`, `keelson cert revoke ${id} --reason superseded`]}
      />
    </Page>
  );
}

function Lead({ certificate }: { readonly certificate: Certificate }) {
  return <StateBadge certificate={certificate} now={useNow()} />;
}

function Detail({ certificate }: { readonly certificate: Certificate }) {
  const { dnsNames, ipAddresses, uris, notBefore, notAfter, revokedAt, revocationReason } = certificate;
  return (
    <>
      <Section title="How long">
        <LifeBar certificate={certificate} />
        <Facts
          facts={{
            'Not before': <Instant at={notBefore} />,
            'Not after': <Instant at={notAfter} />,
            Revoked: revokedAt === undefined ? undefined : <Instant at={revokedAt} />,
            'Reason of the revocation': revocationReason,
          }}
        />
      </Section>
      <Section title="For whom">
        <Facts
          facts={{
            'DNS names': dnsNames.join(', '),
            'IP addresses': ipAddresses.join(', '),
            URIs: uris.join(', '),
            Subject: certificate.subject,
            Profile: certificate.profile,
            Team: certificate.team === '*' ? 'every team' : certificate.team,
          }}
        />
      </Section>
      <Section title="What it is">
        <Facts
          facts={{
            'Serial number': <Octets hex={certificate.serial} />,
            Key: certificate.keyType,
            'SHA-256 of the public key': <Octets hex={certificate.publicKeyHash} />,
            Issuer: certificate.issuer,
            Issued: <Instant at={certificate.createdAt} />,
            Id: <code>{certificate.id}</code>,
          }}
        />
      </Section>
      <ChainView certificate={certificate} />
    </>
  );
}

/** Octets with colons, as certificates print them; lines break between octets only. */
function Octets({ hex }: { readonly hex: string }) {
  return (
    <code className="octets">
      {octets(hex).map((octet, at) => (
        <Fragment key={at}>
          {at === 0 ? '' : ':'}
          <wbr />
          {octet}
        </Fragment>
      ))}
    </code>
  );
}

function Revoke({ certificate, onDone }: { readonly certificate: Certificate; readonly onDone: () => void }) {
  const { may } = useSession();
  const [asked, setAsked] = useState(false);
  const permission: Permission =
    certificate.state === 'revoked'
      ? { allowed: false, reason: 'It is revoked already.' }
      : certificate.state === 'expired'
        ? { allowed: false, reason: 'It has expired: nobody accepts it any more.' }
        : may('certificates', 'certificates:revoke');
  return (
    <>
      <MayButton permission={permission} tone="bad" primary={permission.allowed} say onClick={() => setAsked(true)}>
        Revoke…
      </MayButton>
      {asked ? (
        <RevokeDialog
          certificate={certificate}
          onClose={() => setAsked(false)}
          onDone={() => {
            setAsked(false);
            onDone();
          }}
        />
      ) : null}
    </>
  );
}
