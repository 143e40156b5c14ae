/** Property and header names of a request and its reply, beside those of every message. */
export const REQUEST = {
  /** Time at which nobody waits any more, ms since 1970: the two clocks have to agree, as NTP makes them. */
  deadline: 'keelson-deadline',
  /** Of a reply: `ok` or `problem`. */
  outcome: 'keelson-outcome',
} as const;

export const REPLY_PREFIX = 'keelson.reply.';
