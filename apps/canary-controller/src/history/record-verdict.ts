import {
  canaryPaused,
  canaryPromoted,
  canaryRolledBack,
  canaryStarted,
  canaryStepped,
  type CanarySpec,
} from '@keelson/contracts';
import { outbox } from '@keelson/messaging';
import type { Tx } from '@keelson/persistence';
import type { Verdict } from '../release/decide.ts';
import type { CanaryIdentity, ReleaseRepository } from './release.repository.ts';

/** A verdict with all that must become durable together with it. */
export interface VerdictRecord {
  readonly identity: CanaryIdentity;
  readonly spec: CanarySpec;
  readonly verdict: Verdict;
  /** Version of the row that the verdict rests on; undefined where there was none. */
  readonly expected: number | undefined;
  /** `controller`, or the name of the token. */
  readonly actor: string;
  readonly at: Date;
}

/**
 * Makes a verdict durable: state, decision and the message that tells the world, in one transaction. Only after it may
 * the route be touched; whoever crashes in between finds the state and brings the route about.
 */
export async function recordVerdict(tx: Tx, releases: ReleaseRepository, record: VerdictRecord): Promise<void> {
  const { identity, spec, verdict, at } = record;
  await releases.save(tx, identity, spec, verdict.next, record.expected);
  const { decision } = verdict;
  if (!decision) return;
  await releases.record(tx, identity, verdict.next, decision, record.actor, at);
  const { release, step, weight } = verdict.next;
  const subject = {
    canaryId: identity.id,
    namespace: identity.namespace,
    name: identity.name,
    team: identity.team,
    release,
    canaryDeployment: spec.canary.deployment,
    at: at.toISOString(),
    reason: decision.reason,
  };
  const evidence = [...decision.evidence];
  const aggregate = { aggregate: identity.id };
  switch (decision.act) {
    case 'start':
      return outbox(tx, canaryStarted, subject, aggregate);
    case 'step':
      return outbox(tx, canaryStepped, { ...subject, step, weight, evidence }, aggregate);
    case 'pause':
      return outbox(tx, canaryPaused, { ...subject, evidence }, aggregate);
    case 'promoted':
      return outbox(tx, canaryPromoted, { ...subject, evidence }, aggregate);
    case 'rolled-back':
      return outbox(tx, canaryRolledBack, { ...subject, evidence }, aggregate);
    case 'hold':
    case 'resume':
    case 'promote':
    case 'roll-back':
    case 'refuse':
      return; // of interest in the history, not worth waking a person
    default:
      return decision.act satisfies never;
  }
}
