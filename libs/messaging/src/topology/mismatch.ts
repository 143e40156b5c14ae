import { messageOf } from '../message-of.ts';
import { TopologyMismatchError } from '../errors.ts';
import { describeDifference, type Difference, wayOfArgument } from './difference.ts';
import type { Topology } from './topology.ts';

const argument =
  /inequivalent arg '([^']+)' for (queue|exchange) '([^']+)' in vhost '([^']+)': received (.+?) but current is (.+?)"?$/;

/** What the broker's 406 says: of which object which property is what, and what was asked for. */
export interface Mismatch {
  readonly kind: 'queue' | 'exchange';
  readonly object: string;
  readonly vhost: string;
  readonly field: string;
  readonly wanted: string;
  readonly found: string;
}

/** Reads the broker's 406; undefined for any other failure. */
export function mismatchIn(error: unknown): Mismatch | undefined {
  const match = argument.exec(messageOf(error).replaceAll('\\"', '"'));
  if (match === null) return undefined;
  const [, field, kind, object, vhost, wanted, found] = match as unknown as string[] & { length: 7 };
  return {
    kind: kind as Mismatch['kind'],
    object: object!,
    vhost: vhost!,
    field: field!,
    wanted: bare(wanted, field!),
    found: bare(found, field!),
  };
}

/**
 * Turns the broker's 406 into a sentence that names the object, what it is and what it should be, and what to do.
 * Returns undefined for any other failure.
 */
export function explainMismatch(error: unknown, topology?: Topology): TopologyMismatchError | undefined {
  const message = messageOf(error);
  if (!/PRECONDITION[-_]FAILED/.test(message)) return undefined;
  const mismatch = mismatchIn(error);
  if (mismatch === undefined) return new TopologyMismatchError(message, { cause: error });
  const { kind, object, vhost, field, found, wanted } = mismatch;
  const text = describeDifference(differenceOf(mismatch, topology));
  return new TopologyMismatchError(
    `${text}. It was declared otherwise in virtual host "${vhost}": the ${kind} "${object}" has ${field} ${found}, this program needs ${wanted}`,
    { cause: error },
  );
}

/** The mismatch as a difference. The broker names the first property that differs only. */
export function differenceOf({ kind, object, field, found, wanted }: Mismatch, topology?: Topology): Difference {
  if (kind === 'exchange') return { kind: 'exchange-differs', name: object, field, found, wanted };
  const part = topology?.queues.find(({ name }) => name === object) ?? {
    name: object,
    role: 'consumer',
    arguments: {},
  };
  return { kind: 'queue-differs', part, field, found, wanted, way: wayOfArgument(part) };
}

/** "the value 'x' of type 'longstr'" -> 'x'; none -> none */
function bare(text: string | undefined, field: string): string {
  const value = /the value '([^']*)'/.exec(text ?? '')?.[1] ?? text?.replace(/^'|'$/g, '') ?? 'none';
  if (value === 'none' && field === 'x-queue-type') return 'classic';
  return value === '' ? '"" (the default exchange)' : value;
}
