import { isIP } from 'node:net';
import { NameError, normaliseDnsName, normaliseIp, type DistinguishedName } from '../names/index.ts';

/** What a certificate will be called: normalised, each name once, in the order of the request. */
export interface SubjectNames {
  readonly subject: DistinguishedName;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly uris: readonly string[];
}

/** A name at fault with where it stood. */
export interface NameFault {
  readonly where: string;
  readonly detail: string;
}

/**
 * Normalises the names of a request. A common name that is a DNS name or an IP address joins the alternative names,
 * since clients look only there (RFC 9525 section 2); in the subject it then stands in its normalised form. Collects
 * every fault.
 */
export function normaliseNames(asked: {
  readonly subject: DistinguishedName;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly uris: readonly string[];
}): { names: SubjectNames; faults: readonly NameFault[] } {
  const faults: NameFault[] = [];
  const each = (where: string, given: readonly string[], normalise: (name: string) => string): Set<string> => {
    const names = new Set<string>();
    for (const name of given) {
      try {
        names.add(normalise(name));
      } catch (error) {
        if (!(error instanceof NameError)) throw error;
        faults.push({ where, detail: error.message });
      }
    }
    return names;
  };
  const dnsNames = each('dnsNames', asked.dnsNames, normaliseDnsName);
  const ipAddresses = each('ipAddresses', asked.ipAddresses, normaliseIp);
  const uris = each('uris', asked.uris, normaliseUri);
  const subject = asked.subject.map((relative) =>
    relative.map((attribute) => {
      if (attribute.type !== 'CN') return attribute;
      const host = hostLike(attribute.value);
      if (host === undefined) return attribute;
      (host.kind === 'dns' ? dnsNames : ipAddresses).add(host.name);
      return { type: 'CN', value: host.name };
    }),
  );
  return { names: { subject, dnsNames: [...dnsNames], ipAddresses: [...ipAddresses], uris: [...uris] }, faults };
}

/** A common name as host name: anything with a dot that is a DNS name, `localhost`, or an IP address. */
function hostLike(commonName: string): { kind: 'dns' | 'ip'; name: string } | undefined {
  if (isIP(commonName) !== 0 && !commonName.includes('%')) return { kind: 'ip', name: normaliseIp(commonName) };
  if (!commonName.includes('.') && commonName.toLowerCase() !== 'localhost') return undefined;
  try {
    return { kind: 'dns', name: normaliseDnsName(commonName) };
  } catch {
    return undefined; // a text with a dot, such as "Acme Inc."
  }
}

/** RFC 5280 section 4.2.1.6: absolute, with a scheme; ASCII only. Scheme and host in lower case, the rest as it is. */
function normaliseUri(given: string): string {
  if (!/^[\x21-\x7e]{1,2048}$/.test(given)) throw new NameError(`URI ${JSON.stringify(given)}: only printable ASCII`);
  const match = /^([A-Za-z][A-Za-z0-9+.-]*):(\/\/([^/?#]*))?(.*)$/.exec(given);
  if (match === null || (match[3] === undefined && match[4] === '')) {
    throw new NameError(`URI ${JSON.stringify(given)}: it must be absolute, as in spiffe://domain/path`);
  }
  const [, scheme = '', authority, host = '', rest = ''] = match;
  if (authority !== undefined && host === '') throw new NameError(`URI ${JSON.stringify(given)}: it has no host`);
  return `${scheme.toLowerCase()}:${authority === undefined ? '' : `//${host.toLowerCase()}`}${rest}`;
}
