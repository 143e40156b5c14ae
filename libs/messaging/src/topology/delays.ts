import { delayName, returnExchange } from './names.ts';

/** `levels` queues of unit * 2^level each: any delay up to their sum, in steps of one unit, without a plugin. */
export interface DelaySettings {
  unitMs: number;
  levels: number;
}

/** 100 ms to 1.8 hours. */
export const defaultDelays: DelaySettings = { unitMs: 100, levels: 16 };

/**
 * Where to publish a message so that it reaches `queue` after the delay. Its routing key holds the delay as binary
 * digits, highest first, one word each: at every level the message waits in a queue (1) or passes on (0). A message
 * never waits behind one with a longer delay, since all in one queue wait equally long.
 */
export function delayRoute(
  queue: string,
  delayMs: number,
  settings: DelaySettings,
): { exchange: string; routingKey: string } {
  const most = 2 ** settings.levels - 1;
  // Rounded up: a delay is a promise that it is not sooner.
  const units = Math.min(most, Math.max(1, Math.ceil(delayMs / settings.unitMs)));
  const bits = units.toString(2);
  const key = bits.padStart(settings.levels, '0').split('').join('.');
  return { exchange: delayName(settings.unitMs, bits.length - 1), routingKey: `${key}.${queue}` };
}

/** The binding key at `level` for messages that wait there ('1') or pass on ('0'). */
export function delayBinding(level: number, bit: '0' | '1', settings: DelaySettings): string {
  const words = Array.from({ length: settings.levels }, (_, index) =>
    settings.levels - 1 - index === level ? bit : '*',
  );
  return `${words.join('.')}.#`;
}

/** The words of a binding key that stand for the delay, whatever it was. */
export const anyDelay = (levels: number): string => Array.from({ length: levels }, () => '*').join('.');

/** The binding key that brings a delayed message to exactly this queue. */
export const delayReturn = (queue: string, settings: DelaySettings): string => `${anyDelay(settings.levels)}.${queue}`;

/** The longest delay that the levels can make. */
export const longestDelayMs = (settings: DelaySettings): number => settings.unitMs * (2 ** settings.levels - 1);

/** The exchange after `level`. */
export const delayNext = (level: number, settings: DelaySettings): string =>
  level === 0 ? returnExchange(settings.unitMs) : delayName(settings.unitMs, level - 1);
