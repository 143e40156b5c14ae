import { canaryFindings } from './canary-findings.ts';
import { certificateFindings, deliveryFindings } from './certificate-findings.ts';
import { bySeverity, type Finding } from './finding.ts';
import { orderFindings } from './order-findings.ts';
import { queueFindings } from './queue-findings.ts';
import type { HomeReadings } from './readings.ts';
import { serviceFindings } from './service-findings.ts';
import { gapFindings, sinkFindings } from './sink-findings.ts';

/** Everything that is wrong now, and what could not be looked at. */
export interface Overview {
  readonly findings: readonly Finding[];
  /** Areas that were not read, with the reason: there, nothing being wrong would say nothing. */
  readonly unseen: readonly { readonly area: string; readonly reason: string }[];
  /** Whether something is still being read for the first time. */
  readonly reading: boolean;
}

type Data<Key extends keyof HomeReadings> = HomeReadings[Key]['data'];

/** What {@link overview} looks at: data where it was read, else why not. */
export type Inputs = {
  readonly [Key in keyof HomeReadings]: { readonly data: Data<Key>; readonly unseen: string | undefined };
};

/** Judges what was read. Old data is judged as well, where a new reading failed: it is the best there is. */
export function overview(inputs: Inputs, now: number): Overview {
  const { status, canaries, sinks, verdict, orderQueues, eventQueues, certificates } = inputs;
  const findings = [
    ...(status.data === undefined ? [] : serviceFindings(status.data)),
    ...(canaries.data === undefined ? [] : canaryFindings(canaries.data, now)),
    ...(sinks.data === undefined ? [] : [...sinkFindings(sinks.data.sinks), ...gapFindings(sinks.data.gaps, now)]),
    ...(verdict.data === undefined ? [] : orderFindings(verdict.data)),
    ...queueFindings([...(orderQueues.data ?? []), ...(eventQueues.data ?? [])]),
    ...(certificates.data === undefined
      ? []
      : [...certificateFindings(certificates.data.ending, now), ...deliveryFindings(certificates.data.deliveries)]),
  ];
  const judged = {
    services: status,
    canaries,
    sinks,
    orders: verdict,
    'queues of order-demo': orderQueues,
    'queues of event-relay': eventQueues,
    certificates,
  };
  return {
    findings: bySeverity(findings),
    unseen: Object.entries(judged).flatMap(([area, { unseen }]) =>
      unseen === undefined ? [] : [{ area, reason: unseen }],
    ),
    reading: Object.values(judged).some(({ data, unseen }) => data === undefined && unseen === undefined),
  };
}
