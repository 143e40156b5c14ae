import { isIP, isIPv4, isIPv6 } from 'node:net';

const dateTime =
  /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

/** The string formats that are checked; a format that is not here is only a hint, as in the real API server. */
export const formats: Readonly<Record<string, (value: string) => boolean>> = {
  'date-time': (value) => dateTime.test(value) && !Number.isNaN(Date.parse(value)),
  date: (value) => /^\d{4}-\d\d-\d\d$/.test(value) && !Number.isNaN(Date.parse(value)),
  duration: (value) => /^[+-]?(\d+(\.\d+)?\s*(ns|us|µs|ms|s|m|h|d|w)\s*)+$/.test(value) || value === '0',
  uuid: (value) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(value),
  ipv4: isIPv4,
  ipv6: isIPv6,
  cidr: (value) => {
    const [ip = '', bits = ''] = value.split('/');
    return isIP(ip) > 0 && /^\d+$/.test(bits) && Number(bits) <= (isIPv4(ip) ? 32 : 128);
  },
  uri: (value) => URL.canParse(value) || /^\/\S*$/.test(value),
  hostname: (value) => /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/i.test(value),
  email: (value) => /^[^@\s]+@[^@\s]+$/.test(value),
  byte: (value) => /^[A-Za-z0-9+/]*={0,2}$/.test(value) && value.length % 4 === 0,
};
