import { messageOf } from '../message-of.ts';
import { TopologyMismatchError } from '../errors.ts';

const argument =
  /inequivalent arg '([^']+)' for (queue|exchange) '([^']+)' in vhost '([^']+)': received (.+?) but current is (.+?)"?$/;

/**
 * Turns the broker's 406 into a sentence that names the object, what it is and what it should be, and what to do.
 * Returns undefined for any other failure.
 */
export function explainMismatch(error: unknown): TopologyMismatchError | undefined {
  const message = messageOf(error);
  if (!/PRECONDITION[-_]FAILED/.test(message)) return undefined;
  const match = argument.exec(message.replaceAll('\\"', '"'));
  if (match === null) return new TopologyMismatchError(message, { cause: error });
  const [, name, kind, object, vhost, wanted, current] = match;
  const remedy =
    kind === 'queue'
      ? `stop its consumers, move its messages away (shovel, or let them be handled), delete it ("rabbitmqctl -p ${vhost} delete_queue ${object}") and start again: it is declared anew`
      : `delete it ("rabbitmqadmin -V ${vhost} delete exchange name=${object}") while publishers are stopped and start again, or choose another exchange name`;
  return new TopologyMismatchError(
    `${kind} "${object}" in virtual host "${vhost}" was declared otherwise: its ${name} is ${bare(current)}, this program needs ${bare(wanted)}. Either ${remedy}.`,
    { cause: error },
  );
}

/** "the value 'x' of type 'longstr'" -> 'x'; none -> none */
function bare(text: string | undefined): string {
  const value = /the value '([^']*)'/.exec(text ?? '')?.[1] ?? text?.replace(/^'|'$/g, '') ?? 'none';
  return value === '' ? '"" (the default exchange)' : value;
}
