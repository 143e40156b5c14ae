import { domainToASCII, domainToUnicode } from 'node:url';
import { NameError } from './name-error.ts';

const ldh = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const asciiOnly = /^[\x21-\x7e]*$/;

/**
 * A DNS name as a certificate carries it: lower case, A-labels (IDNA), optionally `*.` in front (RFC 6125 section 6.4.3,
 * RFC 5280 section 4.2.1.6). Idempotent. Throws {@link NameError}.
 */
export function normaliseDnsName(given: string): string {
  const fault = (why: string): NameError => new NameError(`DNS name ${JSON.stringify(given)}: ${why}`);
  if (given.length === 0) throw fault('it is empty');
  if (given.length > 253) throw fault(`it has ${given.length} characters; at most 253 are allowed`);
  const wildcard = given.startsWith('*.');
  const host = wildcard ? given.slice(2) : given;
  if (host.includes('*')) throw fault('"*" may only be the whole leftmost label');
  if (host.endsWith('.')) throw fault('leave the final dot out');
  const ascii = asciiOnly.test(host) ? host.toLowerCase() : toALabels(host, fault);
  for (const label of ascii.split('.')) {
    if (label.length === 0) throw fault('it has an empty label');
    if (label.length > 63) throw fault(`label "${label}" has ${label.length} octets; at most 63 are allowed`);
    if (!ldh.test(label)) throw fault(`label "${label}" has more than letters, digits and inner hyphens`);
    // RFC 5891 section 4.2.3.1: "--" in third and fourth place is kept for encodings such as xn--, which must decode.
    if (label.startsWith('xn--') && !decodes(label)) throw fault(`label "${label}" is no valid A-label`);
    else if (label.slice(2, 4) === '--' && !label.startsWith('xn--')) throw fault(`label "${label}" is reserved`);
  }
  if (/(^|\.)[0-9]+$/.test(ascii))
    throw fault('its last label is a number: an IP address belongs among the IP addresses');
  const name = wildcard ? `*.${ascii}` : ascii;
  if (name.length > 253) throw fault(`it has ${name.length} octets as A-labels; at most 253 are allowed`);
  return name;
}

/** Whether an A-label stands for something: the URL parser leaves those that do not as they are. */
function decodes(label: string): boolean {
  const unicode = domainToUnicode(label);
  return unicode !== label && domainToASCII(unicode) === label;
}

function toALabels(host: string, fault: (why: string) => NameError): string {
  // domainToASCII follows the URL standard, which would also resolve %41, 0x7f.1 and the like: those never get there.
  if (/[\0-\x20%/:?#@[\]\\|^<>"\x7f]/.test(host)) throw fault('it has characters that no DNS name has');
  const ascii = domainToASCII(host);
  if (ascii === '') throw fault('it has characters that IDNA does not allow');
  return ascii;
}
