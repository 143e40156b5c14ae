import { isIPv4, isIPv6 } from 'node:net';
import { NameError } from './name-error.ts';

/** The 4 or 16 octets of an address in text (RFC 5280 section 4.2.1.6). Zone ids are refused. Throws NameError. */
export function ipOctets(text: string): Buffer {
  if (isIPv4(text)) return Buffer.from(text.split('.').map(Number));
  if (!isIPv6(text) || text.includes('%')) throw new NameError(`${JSON.stringify(text)} is no IPv4 or IPv6 address`);
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  let rest = text;
  if (dotted !== null) {
    const [a = 0, b = 0, c = 0, d = 0] = dotted[2]!.split('.').map(Number);
    rest = `${dotted[1]}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  }
  const [head = '', tail] = rest.split('::');
  const groups = (part: string): number[] => (part === '' ? [] : part.split(':').map((group) => parseInt(group, 16)));
  const front = groups(head);
  const back = tail === undefined ? [] : groups(tail);
  const out = Buffer.alloc(16);
  front.forEach((group, at) => out.writeUInt16BE(group, at * 2));
  back.forEach((group, at) => out.writeUInt16BE(group, 16 - (back.length - at) * 2));
  return out;
}

/** Text of 4 or 16 octets; IPv6 as RFC 5952 recommends. Throws NameError for another length. */
export function ipText(octets: Uint8Array): string {
  if (octets.length === 4) return octets.join('.');
  if (octets.length !== 16) throw new NameError(`an IP address has 4 or 16 octets, not ${octets.length}`);
  const bytes = Buffer.from(octets);
  const groups = Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(at * 2));
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return `::ffff:${bytes.subarray(12).join('.')}`;
  }
  let [from, length] = [-1, 1]; // RFC 5952 section 4.2.2: a single zero group is not shortened
  for (let at = 0; at < 8; at++) {
    let run = 0;
    while (at + run < 8 && groups[at + run] === 0) run++;
    if (run > length) [from, length] = [at, run];
    at += run;
  }
  const hex = groups.map((group) => group.toString(16));
  if (from < 0) return hex.join(':');
  return `${hex.slice(0, from).join(':')}::${hex.slice(from + length).join(':')}`;
}

/** The one text of an address, whatever form it was written in. Throws NameError. */
export const normaliseIp = (text: string): string => ipText(ipOctets(text));

/** A range of addresses: `10.0.0.0/8`, `fd00::/8`, or one address. */
export interface IpRange {
  readonly network: Buffer;
  readonly prefix: number;
}

/** Parses CIDR notation; bits set beyond the prefix are a fault, since they tell of a slip. Throws NameError. */
export function parseIpRange(text: string): IpRange {
  const [address = '', length, ...more] = text.split('/');
  const network = ipOctets(address);
  const bits = network.length * 8;
  const prefix = length === undefined ? bits : /^\d{1,3}$/.test(length) ? Number(length) : -1;
  if (more.length > 0 || prefix < 0 || prefix > bits) {
    throw new NameError(`${JSON.stringify(text)} is no range: write an address, or address/prefix with 0 to ${bits}`);
  }
  const range = { network, prefix };
  const masked = Buffer.from(network.map((octet, at) => octet & mask(prefix, at)));
  if (!masked.equals(network))
    throw new NameError(`${text} has bits beyond its prefix; did you mean ${ipText(masked)}/${prefix}?`);
  return range;
}

/** Whether the address lies in the range; never across IPv4 and IPv6. */
export function inRange({ network, prefix }: IpRange, address: string): boolean {
  const octets = ipOctets(address);
  return (
    octets.length === network.length && octets.every((octet, at) => ((octet ^ network[at]!) & mask(prefix, at)) === 0)
  );
}

/** The part of a prefix that falls on octet `at`. */
function mask(prefix: number, at: number): number {
  const bits = Math.min(8, Math.max(0, prefix - at * 8));
  return (0xff << (8 - bits)) & 0xff;
}
