/**
 * Header names. CloudEvents attributes carry the prefix of the AMQP binding 1.0, section 3.1.3.1
 * (`cloudEvents:`); our own start with `keelson-`.
 */
export const CE = {
  specversion: 'cloudEvents:specversion',
  id: 'cloudEvents:id',
  source: 'cloudEvents:source',
  type: 'cloudEvents:type',
  time: 'cloudEvents:time',
  subject: 'cloudEvents:subject',
  /** Extension "Partitioning": the key whose messages belong in order. */
  partitionkey: 'cloudEvents:partitionkey',
} as const;

export const KEELSON = {
  /** Failed attempts so far; counted by us, since the broker's own count ends with each re-publish. */
  attempts: 'keelson-attempts',
  firstFailedAt: 'keelson-first-failed-at',
  lastFailedAt: 'keelson-last-failed-at',
  exchange: 'keelson-exchange',
  routingKey: 'keelson-routing-key',
  queue: 'keelson-queue',
  code: 'keelson-code',
  reason: 'keelson-reason',
  stack: 'keelson-stack',
  redriveCount: 'keelson-redrive-count',
  /** The redrive that sent it, so that it is known when it comes back. */
  redriveRun: 'keelson-redrive-run',
  /** Id of the parked message that this one is a corrected copy of. */
  editedFrom: 'keelson-edited-from',
} as const;

export type Headers = Record<string, unknown>;

/** A counter in a header; 0 for anything that is none, since a stranger may write whatever they like there. */
export const countIn = (value: unknown): number => (Number.isSafeInteger(value) ? Math.max(0, value as number) : 0);
