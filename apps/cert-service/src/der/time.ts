import { DerError } from './der-error.ts';
import { TAG } from './tags.ts';

const utc = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;
const generalized = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;

/**
 * Reads a Time as RFC 5280 section 4.1.2.5 profiles it: seconds given, no fraction, `Z`; two-digit years from 1950 to
 * 2049. Throws DerError for another form and for dates that do not exist.
 */
export function readTime(tag: number, text: string, offset: number, what: string): Date {
  const form = tag === TAG.utcTime ? utc : tag === TAG.generalizedTime ? generalized : undefined;
  if (form === undefined) throw new DerError(offset, `${what} must be UTCTime or GeneralizedTime`);
  const parts = form.exec(text)?.slice(1).map(Number);
  if (parts === undefined) throw new DerError(offset, `${what} is not a time of the form that RFC 5280 prescribes`);
  const [first = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts;
  const year = tag === TAG.utcTime ? (first < 50 ? 2000 + first : 1900 + first) : first;
  const time = new Date(0);
  time.setUTCFullYear(year, month - 1, day);
  time.setUTCHours(hour, minute, second);
  const same = time.getUTCMonth() === month - 1 && time.getUTCDate() === day && time.getUTCHours() === hour;
  if (!same || time.getUTCMinutes() !== minute || time.getUTCSeconds() !== second) {
    throw new DerError(offset, `${what} is a time that does not exist: ${text}`);
  }
  return time;
}

const two = (value: number): string => (value < 10 ? `0${value}` : String(value));

/** Tag and text of a time: UTCTime through 2049, GeneralizedTime from 2050 (RFC 5280 section 4.1.2.5); whole seconds. */
export function timeText(time: Date): { tag: number; text: string } {
  const year = time.getUTCFullYear();
  const rest =
    two(time.getUTCMonth() + 1) +
    two(time.getUTCDate()) +
    two(time.getUTCHours()) +
    two(time.getUTCMinutes()) +
    two(time.getUTCSeconds());
  if (year >= 1950 && year < 2050) return { tag: TAG.utcTime, text: `${two(year % 100)}${rest}Z` };
  return { tag: TAG.generalizedTime, text: `${String(year).padStart(4, '0')}${rest}Z` };
}
