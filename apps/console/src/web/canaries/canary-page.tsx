import type { Canary, Decision } from '@keelson/contracts';
import { useEffect, useRef, useState } from 'react';
import { type Listing, useList } from '../api/use-list.ts';
import { useRead } from '../api/use-read.ts';
import { Elsewhere } from '../parts/elsewhere.tsx';
import { Facts } from '../parts/facts.tsx';
import { Page, Section } from '../parts/page.tsx';
import { Empty, Show } from '../parts/reading.tsx';
import { span } from '../parts/relative.ts';
import { More } from '../parts/table.tsx';
import { Time } from '../parts/time.tsx';
import { Link } from '../routing/link.tsx';
import { useQuery } from '../routing/location.ts';
import { addressOf } from '../routing/match.ts';
import { usePermission, useSession } from '../session/session.ts';
import { ActBar } from './act-bar.tsx';
import { ACT_NAMES, commandLine } from './acts.ts';
import { EvidenceList } from './evidence.tsx';
import { pointsOf } from './failure-chart.ts';
import { FailureChart } from './failure-chart-view.tsx';
import { History } from './history.tsx';
import { percent } from './measure.ts';
import { isMoving, PhaseBadge } from './phase.tsx';
import { StepTrack } from './step-track.tsx';
import { Traffic } from './traffic.tsx';

interface CanaryPageProps {
  readonly namespace: string;
  readonly name: string;
}

/** One canary: where its release stands, why, and what can be done. */
export function CanaryPage({ namespace, name }: CanaryPageProps) {
  const { clients } = useSession();
  const permission = usePermission('canaries', 'canaries:read');
  const [moving, setMoving] = useState(true);
  const canary = useRead(
    `canary/${namespace}/${name}`,
    (signal) => clients.canaries.getCanary({ params: { namespace, name }, signal }),
    { everyMs: moving ? 1_000 : 4_000, enabled: permission.allowed },
  );
  const { data } = canary;
  useEffect(() => {
    if (data !== undefined) setMoving(isMoving(data));
  }, [data]);
  const path = `/v1/canaries/${namespace}/${name}`;
  return (
    <Page
      title={`${namespace}/${name}`}
      tab={data === undefined ? name : `${name}: ${data.phase}`}
      back={<Link to={addressOf('canaries')}>Canaries</Link>}
      lead={data === undefined ? undefined : <Lead canary={data} />}
      actions={data === undefined ? undefined : <ActBar canary={data} onDone={canary.refresh} />}
    >
      {permission.allowed ? (
        <Show reading={canary} what="the canary" lines={8}>
          {(found) => <Release canary={found} />}
        </Show>
      ) : (
        <Empty icon="info" title={permission.reason} />
      )}
      <Elsewhere
        api={[
          `GET ${path}`,
          `GET ${path}/decisions`,
          ...['promote', 'pause', 'resume', 'abort'].map((act) => `POST ${path}/${act}`),
        ]}
        cli={[
          `keelson canary get ${namespace}/${name} --watch`,
          ...ACT_NAMES.map((act) => commandLine(act, { namespace, name })),
        ]}
      />
    </Page>
  );
}

function Lead({ canary }: { readonly canary: Canary }) {
  return (
    <>
      release {canary.release} <PhaseBadge phase={canary.phase} /> <Time at={canary.since} />
      <Announcement canary={canary} />
    </>
  );
}

/** Tells screen readers of each change of phase and traffic, and of nothing else. */
function Announcement({ canary }: { readonly canary: Canary }) {
  const text = `${canary.phase}, ${canary.weight} % of the traffic to ${canary.spec.canary.deployment}`;
  const first = useRef(text);
  return (
    <span className="unseen" role="status">
      {text === first.current ? '' : text}
    </span>
  );
}

function Release({ canary }: { readonly canary: Canary }) {
  const [query, setQuery] = useQuery();
  const asked = Number(query['release'] ?? canary.release);
  const release = Number.isInteger(asked) && asked >= 1 && asked <= canary.release ? asked : canary.release;
  const current = release === canary.release;
  const { clients } = useSession();
  const { namespace, name } = canary;
  const decisions = useList(
    `canary/${namespace}/${name}/decisions/${release}`,
    (cursor, signal) =>
      clients.canaries.listDecisions({ params: { namespace, name }, query: { release, cursor }, signal }),
    (decision) => decision.id,
    { everyMs: current ? (isMoving(canary) ? 1_000 : 5_000) : undefined },
  );
  const looks = pointsOf(
    decisions.rows ?? [],
    current && isMoving(canary) && decisions.readAt !== undefined
      ? { evidence: canary.evidence, at: decisions.readAt }
      : undefined,
  );
  return (
    <>
      <section className="release" aria-label="Where the release stands">
        <p className="release-why">{canary.reason}</p>
        {canary.phase === 'Refused' ? null : <Traffic canary={canary} />}
        <StepTrack canary={canary} />
      </section>
      <div className="split">
        {canary.evidence.length === 0 ? null : (
          <div className="split-evidence">
            <Section
              title={isMoving(canary) ? 'Evidence now' : 'Evidence of the last look'}
              aside={
                <span className="quiet small">
                  a look every {span(canary.spec.analysis.intervalSeconds * 1000)}; {canary.spec.analysis.failureLimit}{' '}
                  failed in a row roll back
                </span>
              }
            >
              <EvidenceList evidence={canary.evidence} />
            </Section>
          </div>
        )}
        <div className="split-decisions">
          <Section
            title="Decisions"
            aside={
              <ReleasePicker
                release={release}
                latest={canary.release}
                onPick={(picked) => setQuery({ release: picked === canary.release ? undefined : String(picked) })}
              />
            }
          >
            <FailureChart points={looks} />
            <Show reading={{ ...decisions, data: decisions.rows }} what="decisions" lines={6}>
              {(rows) => <Decisions rows={rows} list={decisions} open={!current} />}
            </Show>
          </Section>
        </div>
        <div className="split-plan">
          <Section title="Plan">
            <Plan canary={canary} />
          </Section>
        </div>
      </div>
    </>
  );
}

interface DecisionsProps {
  readonly rows: readonly Decision[];
  readonly list: Listing<Decision>;
  /** The evidence of the present release stands beside them already. */
  readonly open: boolean;
}

function Decisions({ rows, list, open }: DecisionsProps) {
  if (rows.length === 0) return <Empty icon="info" title="No decision yet" />;
  return (
    <>
      <History decisions={rows} open={open} />
      <More
        more={list.more}
        loading={list.loadingMore}
        shown={rows.length}
        noun={{ one: 'decision', many: 'decisions' }}
      />
    </>
  );
}

interface ReleasePickerProps {
  readonly release: number;
  readonly latest: number;
  readonly onPick: (release: number) => void;
}

/** The releases before this one have their decisions still. */
function ReleasePicker({ release, latest, onPick }: ReleasePickerProps) {
  return (
    <span className="picker">
      <button
        type="button"
        className="bare mirrored"
        aria-label="Release before"
        disabled={release <= 1}
        onClick={() => onPick(release - 1)}
      >
        ‹
      </button>
      <span className="small">
        release {release}
        {release === latest ? '' : ` of ${latest}`}
      </span>
      <button
        type="button"
        className="bare"
        aria-label="Release after"
        disabled={release >= latest}
        onClick={() => onPick(release + 1)}
      >
        ›
      </button>
    </span>
  );
}

function Plan({ canary: { spec, team } }: { readonly canary: Canary }) {
  const { route, match, analysis } = spec;
  return (
    <Facts
      facts={{
        'Old version': `${spec.stable.deployment} behind Service ${spec.stable.service}`,
        'New version': `${spec.canary.deployment} behind Service ${spec.canary.service}`,
        Route: `${route.host}${route.path} (Ingress ${route.ingress})`,
        'Always new': matchText(match),
        'Success rate': `at least ${percent(analysis.successRate.min)}, from ${analysis.successRate.minSample} requests on`,
        'Warning events': [
          `at most ${analysis.warningEvents.max}`,
          ...(analysis.warningEvents.ignoreReasons.length === 0
            ? []
            : [`not counting ${analysis.warningEvents.ignoreReasons.join(', ')}`]),
        ].join(', '),
        'Without a verdict': `paused after ${span(analysis.inconclusiveLimitSeconds * 1000)}`,
        Team: team,
      }}
    />
  );
}

function matchText(match: Canary['spec']['match']): string | undefined {
  const { header, cookie } = match ?? {};
  const parts = [
    ...(header === undefined ? [] : [`header ${header.name}${headerValue(header)}`]),
    ...(cookie === undefined ? [] : [`cookie ${cookie}=always`]),
  ];
  return parts.length === 0 ? undefined : parts.join(', ');
}

const headerValue = ({ value, pattern }: { value?: string | undefined; pattern?: string | undefined }): string =>
  value !== undefined ? `: ${value}` : pattern === undefined ? ': always' : ` ~ ${pattern}`;
