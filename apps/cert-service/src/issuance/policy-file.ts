import { readFile } from 'node:fs/promises';
import { keyType } from '@keelson/contracts';
import { parse } from 'yaml';
import { z } from 'zod';
import { NameError, normaliseDnsName, parseIpRange, subjectAttributeTypes } from '../names/index.ts';
import type { Policy } from './policy.ts';
import { profileNames } from './profile-name.ts';

/** 397 days and an hour: the longest that the contract lets anybody ask for. */
const LONGEST_SECONDS = 34_300_800;

/** A check that a normalising function makes, as zod refinement: its message names value and remedy. */
function accepts(check: (value: string) => unknown) {
  return (value: string, context: z.RefinementCtx): void => {
    try {
      check(value);
    } catch (error) {
      if (!(error instanceof NameError)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
    }
  };
}

const dnsName = z.string().superRefine(accepts(normaliseDnsName));
const suffix = z.string().superRefine(accepts((value) => normaliseDnsName(value.replace(/^\./, ''))));
const range = z.string().superRefine(accepts(parseIpRange));
const any = z.literal('any');

/** One team's rules; what is left out is as in the stated default. */
const teamPolicySchema = z.strictObject({
  dns: z
    .union([
      any,
      z.strictObject({
        exact: z.array(dnsName).default([]),
        suffixes: z.array(suffix).default([]),
        wildcards: z.boolean().default(false),
      }),
    ])
    .default('any'),
  ip: z.union([any, z.array(range)]).default('any'),
  uri: z.union([any, z.array(z.string().min(1))]).default('any'),
  subject: z
    .strictObject({
      attributes: z.array(z.enum(subjectAttributeTypes)).default(['CN', 'O', 'OU', 'L', 'ST', 'C']),
      freeCommonName: z.boolean().default(true),
    })
    .prefault({}),
  profiles: z
    .array(z.enum(profileNames))
    .min(1)
    .default([...profileNames]),
  keyTypes: z.array(keyType).min(1).default(keyType.options),
  deliveryNamespaces: z.union([any, z.array(z.string().min(1).max(63))]).default('any'),
  lifetime: z
    .strictObject({
      defaultSeconds: z.number().int().min(60).max(LONGEST_SECONDS).optional(),
      minSeconds: z.number().int().min(60).max(LONGEST_SECONDS).default(60),
      maxSeconds: z.number().int().min(60).max(LONGEST_SECONDS).default(LONGEST_SECONDS),
    })
    .refine((lifetime) => lifetime.minSeconds <= lifetime.maxSeconds, 'minSeconds is above maxSeconds')
    .refine(
      ({ defaultSeconds: given, minSeconds, maxSeconds }) =>
        given === undefined || (given >= minSeconds && given <= maxSeconds),
      'defaultSeconds is not between minSeconds and maxSeconds',
    )
    .prefault({}),
});

const policyFileSchema = z.strictObject({
  /** For teams without an entry; without it they may not ask for anything. */
  default: teamPolicySchema.optional(),
  teams: z.record(z.string().min(1), teamPolicySchema).default({}),
});

const DEFAULT_LIFETIME_SECONDS = 90 * 86_400;

function compile(source: string, given: z.infer<typeof teamPolicySchema>): Policy {
  const { dns, ip, uri, subject, lifetime } = given;
  return {
    source,
    dns:
      dns === 'any'
        ? { any: true, exact: new Set(), suffixes: [], wildcards: true }
        : {
            any: false,
            exact: new Set(dns.exact.map(normaliseDnsName)),
            suffixes: dns.suffixes.map((text) => `.${normaliseDnsName(text.replace(/^\./, ''))}`),
            wildcards: dns.wildcards,
          },
    ip: ip === 'any' ? { any: true, ranges: [], text: [] } : { any: false, ranges: ip.map(parseIpRange), text: ip },
    uri: uri === 'any' ? { any: true, prefixes: [] } : { any: false, prefixes: uri },
    subject: { attributes: new Set(subject.attributes), freeCommonName: subject.freeCommonName },
    profiles: new Set(given.profiles),
    keyTypes: new Set(given.keyTypes),
    deliveryNamespaces: given.deliveryNamespaces,
    lifetime: {
      minSeconds: lifetime.minSeconds,
      maxSeconds: lifetime.maxSeconds,
      defaultSeconds:
        lifetime.defaultSeconds ??
        Math.min(lifetime.maxSeconds, Math.max(lifetime.minSeconds, DEFAULT_LIFETIME_SECONDS)),
    },
  };
}

/** The policies of all teams. */
export class Policies {
  readonly #teams: ReadonlyMap<string, Policy>;
  readonly #default: Policy | undefined;

  constructor(teams: ReadonlyMap<string, Policy>, fallback: Policy | undefined) {
    this.#teams = teams;
    this.#default = fallback;
  }

  /** What this team may ask for; `undefined` where the file names neither the team nor a default. */
  for(team: string): Policy | undefined {
    return this.#teams.get(team) ?? this.#default;
  }

  /**
   * Without a policy file: every team may ask for any name with any of the supported keys, for 60 s to 397 days (90
   * days where it does not say). Fit for a trial; the service says so at start.
   */
  static stated(): Policies {
    return new Policies(new Map(), compile('the built-in default', teamPolicySchema.parse({})));
  }

  /** Policies from the text of a policy file, YAML or JSON. Throws an error that lists every fault. */
  static fromText(text: string, file: string): Policies {
    let raw: unknown;
    try {
      raw = parse(text) ?? {};
    } catch (cause) {
      throw new Error(`POLICY_FILE ${file} is no YAML: ${(cause as Error).message}`, { cause });
    }
    const result = policyFileSchema.safeParse(raw);
    if (!result.success) {
      const faults = result.error.issues.map((issue) => `  ${issue.path.join('.') || '(top)'}: ${issue.message}`);
      throw new Error(`POLICY_FILE ${file} has ${faults.length} fault(s):\n${faults.join('\n')}`);
    }
    const { teams, default: fallback } = result.data;
    return new Policies(
      new Map(Object.entries(teams).map(([team, given]) => [team, compile(`teams.${team}`, given)])),
      fallback === undefined ? undefined : compile('default', fallback),
    );
  }

  static async fromFile(file: string): Promise<Policies> {
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (cause) {
      throw new Error(`POLICY_FILE ${file} cannot be read: ${(cause as Error).message}`, { cause });
    }
    return Policies.fromText(text, file);
  }
}
