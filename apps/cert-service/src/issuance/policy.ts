import type { KeyType } from '@keelson/contracts';
import { inRange, type IpRange } from '../names/index.ts';
import type { SubjectNames } from './names.ts';
import type { ProfileName } from './profile-name.ts';

/** What one team may ask for, checked and compiled from the policy file. */
export interface Policy {
  /** Which entry of the policy file it is, for messages: `teams.shop`, `default`. */
  readonly source: string;
  readonly dns: {
    readonly any: boolean;
    readonly exact: ReadonlySet<string>;
    /** Each begins with a dot: `.shop.example` allows every name below shop.example, not shop.example itself. */
    readonly suffixes: readonly string[];
    readonly wildcards: boolean;
  };
  readonly ip: { readonly any: boolean; readonly ranges: readonly IpRange[]; readonly text: readonly string[] };
  readonly uri: { readonly any: boolean; readonly prefixes: readonly string[] };
  readonly subject: {
    readonly attributes: ReadonlySet<string>;
    /** Whether a common name may be a text that is no host name. */
    readonly freeCommonName: boolean;
  };
  readonly profiles: ReadonlySet<ProfileName>;
  readonly keyTypes: ReadonlySet<KeyType>;
  /** Namespaces that the team may have Secrets filled in, within those that the service serves at all. */
  readonly deliveryNamespaces: readonly string[] | 'any';
  readonly lifetime: { readonly defaultSeconds: number; readonly minSeconds: number; readonly maxSeconds: number };
}

/** What is asked, after normalisation. */
export interface PolicyRequest {
  readonly names: SubjectNames;
  readonly profile: ProfileName;
  readonly keyType: KeyType;
  readonly lifetimeSeconds: number | undefined;
  readonly asksForCa: boolean;
  readonly unknownCritical: readonly string[];
}

/** A rule that the request fails. `pointer` is where the value stood in the request body. */
export interface PolicyFinding {
  readonly rule: string;
  readonly pointer: string;
  readonly detail: string;
}

type Rule = (policy: Policy, request: PolicyRequest) => Iterable<Omit<PolicyFinding, 'rule'>>;

const list = (values: Iterable<string>): string => [...values].join(', ') || 'none';

/** Each rule by its name; all are asked, so that the answer names everything that fails. */
const rules: Readonly<Record<string, Rule>> = {
  *'not-a-ca'(_policy, request) {
    if (request.asksForCa)
      yield { pointer: '/csr', detail: 'the request asks for CA:TRUE; no authority is signed here' };
  },

  *'known-extensions'(_policy, request) {
    for (const id of request.unknownCritical) {
      yield {
        pointer: '/csr',
        detail: `the request has a critical extension ${id} that is not understood; leave it out`,
      };
    }
  },

  *'has-a-name'(_policy, { names, profile }) {
    if (names.dnsNames.length + names.ipAddresses.length + names.uris.length > 0) return;
    // A client may be known by its common name alone; a server without alternative names is accepted by nobody.
    if (profile === 'client' && names.subject.flat().some(({ type }) => type === 'CN')) return;
    yield {
      pointer: '/csr',
      detail: `a ${profile} certificate needs a subject alternative name; the request has none`,
    };
  },

  *profile(policy, { profile }) {
    if (policy.profiles.has(profile)) return;
    yield { pointer: '/profile', detail: `profile ${profile} is not allowed; allowed: ${list(policy.profiles)}` };
  },

  *'key-type'(policy, { keyType }) {
    if (policy.keyTypes.has(keyType)) return;
    yield { pointer: '/csr', detail: `key type ${keyType} is not allowed; allowed: ${list(policy.keyTypes)}` };
  },

  *lifetime(policy, { lifetimeSeconds }) {
    const { minSeconds, maxSeconds } = policy.lifetime;
    if (lifetimeSeconds === undefined || (lifetimeSeconds >= minSeconds && lifetimeSeconds <= maxSeconds)) return;
    yield {
      pointer: '/lifetimeSeconds',
      detail: `lifetime of ${lifetimeSeconds} s is not allowed; allowed: ${minSeconds} to ${maxSeconds} s`,
    };
  },

  *'dns-name'(policy, { names }) {
    const { any, exact, suffixes } = policy.dns;
    for (const name of names.dnsNames) {
      const host = name.startsWith('*.') ? name.slice(1) : name;
      // A wildcard stands for the names below its parent, so only a suffix can allow it, or the very same text.
      if (any || exact.has(name) || suffixes.some((suffix) => host.endsWith(suffix))) continue;
      const allowed = list([...exact, ...suffixes.map((suffix) => `*${suffix}`)]);
      yield { pointer: '/csr', detail: `DNS name ${name} is not allowed; allowed: ${allowed}` };
    }
  },

  *wildcard(policy, { names }) {
    if (policy.dns.wildcards) return;
    for (const name of names.dnsNames) {
      if (!name.startsWith('*.') || policy.dns.exact.has(name)) continue;
      yield { pointer: '/csr', detail: `wildcard ${name} is not allowed; ask for each name` };
    }
  },

  *'ip-address'(policy, { names }) {
    for (const address of names.ipAddresses) {
      if (policy.ip.any || policy.ip.ranges.some((range) => inRange(range, address))) continue;
      yield { pointer: '/csr', detail: `IP address ${address} is not allowed; allowed: ${list(policy.ip.text)}` };
    }
  },

  *uri(policy, { names }) {
    for (const uri of names.uris) {
      if (policy.uri.any || policy.uri.prefixes.some((prefix) => uri.startsWith(prefix))) continue;
      yield { pointer: '/csr', detail: `URI ${uri} is not allowed; allowed prefixes: ${list(policy.uri.prefixes)}` };
    }
  },

  *subject(policy, { names }) {
    for (const { type, value } of names.subject.flat()) {
      if (!policy.subject.attributes.has(type)) {
        yield {
          pointer: '/csr',
          detail: `subject attribute ${type} is not allowed; allowed: ${list(policy.subject.attributes)}`,
        };
      } else if (type === 'CN' && !policy.subject.freeCommonName && !namesHost(names, value)) {
        yield { pointer: '/csr', detail: `common name ${JSON.stringify(value)} is none of the alternative names` };
      } else if (type === 'C' && !/^[A-Z]{2}$/.test(value)) {
        yield { pointer: '/csr', detail: `country ${JSON.stringify(value)} is not two capital letters (ISO 3166-1)` };
      }
    }
  },
};

const namesHost = (names: SubjectNames, commonName: string): boolean =>
  names.dnsNames.includes(commonName) || names.ipAddresses.includes(commonName);

/** Names of all rules, as `errors[].detail` begins with them. */
export const policyRules: readonly string[] = Object.keys(rules);

/** Every rule of the policy that the request fails; empty where it may be signed. */
export function checkPolicy(policy: Policy, request: PolicyRequest): PolicyFinding[] {
  return Object.entries(rules).flatMap(([rule, check]) =>
    Array.from(check(policy, request), (finding) => ({ rule, ...finding })),
  );
}
