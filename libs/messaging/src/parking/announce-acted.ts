import { messageDiscarded, messageEdited, messageRedriven } from '@keelson/contracts';
import { messageOf } from '../message-of.ts';
import { PARKING, type Messaging } from '../messaging.ts';

/**
 * The audit of what people did with parked messages: a line in the log and, where the catalogue has it, a message of the
 * platform. Best effort: what was done is done, and nobody may be listening.
 */
export async function announceActed(
  messaging: Messaging,
  act: 'redriven' | 'discarded' | 'edited',
  { queue, ids, by, newId }: { queue: string; ids: readonly string[]; by: string | undefined; newId?: string },
): Promise<void> {
  if (ids.length === 0) return;
  const { service, catalogue, log } = messaging[PARKING]();
  const acted = {
    service,
    queue,
    by: by ?? service,
    count: ids.length,
    ids: ids.slice(0, 1_000),
    at: new Date().toISOString(),
  };
  log.info({ ...acted, ...(newId === undefined ? {} : { newId }) }, `parked messages were ${act}`);
  const definition = { redriven: messageRedriven, discarded: messageDiscarded, edited: messageEdited }[act];
  if (catalogue[definition.routingKey] !== definition) return;
  try {
    if (definition === messageEdited)
      await messaging.publish(messageEdited, { ...acted, newId: newId ?? '' }, { mandatory: false });
    else await messaging.publish(definition as typeof messageRedriven, acted, { mandatory: false });
  } catch (error) {
    log.warn({ queue, error: messageOf(error) }, `the notice of ${act} messages was not published`);
  }
}
