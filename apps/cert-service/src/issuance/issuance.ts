import { certificateIssued, type Certificate } from '@keelson/contracts';
import type { Tx } from '@keelson/persistence';
import { histogram, type Clock, type Principal } from '@keelson/service-kit';
import type { Authority } from '../authority/authority-store.ts';
import type { ClockGuard } from '../clock/clock-guard.ts';
import { nextNoticeAt } from '../expiry/thresholds.ts';
import { messageSubject } from '../inventory/certificate-row.ts';
import type { NewCertificate } from '../inventory/certificate-store.ts';
import type { PublicKeyInfo } from '../keys/index.ts';
import type { Act, Ledger } from '../storage/ledger.ts';
import { uuidV7 } from '../storage/uuid-v7.ts';
import { parseCsrText } from './csr.ts';
import { lintRules } from './lint.ts';
import { normaliseNames, type SubjectNames } from './names.ts';
import { checkPolicy, type Policy } from './policy.ts';
import type { Policies } from './policy-file.ts';
import { issuanceProblem, namesRefused, noPolicy, policyRefused } from './problems.ts';
import type { ProfileName } from './profile-name.ts';
import { LeafSigner } from './sign.ts';

/** A request for a certificate that came over HTTP. */
export interface IssueRequest {
  readonly csr: string;
  readonly profile: ProfileName;
  readonly lifetimeSeconds?: number | undefined;
}

/** Names that passed the policy, with the policy that they passed. */
export interface AllowedNames {
  readonly names: SubjectNames;
  readonly policy: Policy;
}

/** A signed certificate with the act that records it. */
export interface Issued {
  readonly certificate: Certificate;
  readonly chain: string;
  readonly act: Act;
}

const signing = histogram({
  name: 'keelson_certificate_signing_seconds',
  help: 'Time to check, lint and sign one certificate, without the database',
  buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1],
});

export interface IssuanceParts {
  readonly authority: Authority;
  readonly policies: Policies;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly guard: ClockGuard;
  /** Configured expiry thresholds in seconds: the first notice of a certificate is planned when it is stored. */
  readonly thresholds: readonly number[];
  /** Distribution point of the revocation list, where the service knows its public address. */
  readonly crlUrl: string | undefined;
}

/** Takes requests, holds them against the policy of their team, signs and records. */
export class Issuance {
  readonly #parts: IssuanceParts;
  readonly #signer: LeafSigner;

  constructor(parts: IssuanceParts) {
    this.#parts = parts;
    this.#signer = new LeafSigner(parts.authority.issuer, parts.crlUrl);
  }

  /** Issues from a request. Throws CallerError with what is wrong; then nothing was stored. */
  async issue(
    request: IssueRequest,
    principal: Principal,
    also?: (tx: Tx, certificate: Certificate) => Promise<void>,
  ): Promise<Certificate> {
    this.#parts.guard.check();
    const { certificate, act } = this.#fromRequest(request, principal);
    await this.#parts.ledger.commit({ ...act, also: also && ((tx) => also(tx, certificate)) });
    return certificate;
  }

  /** Holds names that the service itself was asked to deliver against the policy; CallerError as for a request. */
  allow(
    team: string,
    asked: { readonly dnsNames: readonly string[]; readonly ipAddresses: readonly string[] },
    lifetimeSeconds: number | undefined,
  ): AllowedNames {
    const policy = this.#policyOf(team);
    const { names, faults } = normaliseNames({ subject: [], uris: [], ...asked });
    if (faults.length > 0) throw namesRefused(faults, (fault) => `/${fault.where}`);
    const findings = checkPolicy(policy, {
      names,
      profile: 'server',
      keyType: 'EC-P256',
      lifetimeSeconds,
      asksForCa: false,
      unknownCritical: [],
    });
    if (findings.length > 0) {
      const pointers: Record<string, string> = { 'ip-address': '/ipAddresses' };
      throw policyRefused(
        policy.source,
        findings.map((one) => (one.pointer === '/csr' ? { ...one, pointer: pointers[one.rule] ?? '/dnsNames' } : one)),
      );
    }
    return { names, policy };
  }

  /** Signs for names that {@link allow} let pass, and says what is to be recorded; records nothing itself. */
  sign(request: {
    readonly team: string;
    readonly actor: string;
    readonly profile: ProfileName;
    readonly names: SubjectNames;
    readonly publicKey: PublicKeyInfo;
    readonly lifetimeSeconds: number;
    /** Why, for the audit: `request`, `delivery ...`. */
    readonly why: Readonly<Record<string, string>>;
  }): Issued {
    this.#parts.guard.check();
    const { authority, clock, thresholds } = this.#parts;
    const now = clock.now();
    const signed = this.#signer.sign(request, now);
    const stored: NewCertificate = {
      id: uuidV7(now),
      team: request.team,
      authorityId: authority.id,
      serial: signed.serial,
      profile: signed.profile,
      subject: signed.subject,
      dnsNames: signed.names.dnsNames,
      ipAddresses: signed.names.ipAddresses,
      uris: signed.names.uris,
      keyType: signed.keyType,
      publicKeyHash: signed.publicKeyHash,
      issuer: authority.issuer.subject,
      notBefore: signed.notBefore,
      notAfter: signed.notAfter,
      certificate: signed.certificate,
      lint: lintRules,
      createdAt: now,
      nextNoticeAt: nextNoticeAt(signed, thresholds, undefined),
    };
    return {
      certificate: shown(stored, signed.chain),
      chain: signed.chain,
      act: {
        certificate: stored,
        messages: [
          { definition: certificateIssued, payload: messageSubject(stored), aggregate: `certificate/${stored.id}` },
        ],
        audit: [
          {
            at: now,
            actor: request.actor,
            team: request.team,
            act: 'certificate.issued',
            subject: stored.id,
            detail: {
              serial: stored.serial,
              profile: stored.profile,
              subject: stored.subject,
              dnsNames: stored.dnsNames,
              ipAddresses: stored.ipAddresses,
              uris: stored.uris,
              keyType: stored.keyType,
              publicKeyHash: stored.publicKeyHash,
              notAfter: stored.notAfter.toISOString(),
              ...request.why,
            },
          },
        ],
      },
    };
  }

  #fromRequest(request: IssueRequest, principal: Principal): Issued {
    const stop = signing.startTimer();
    try {
      const policy = this.#policyOf(principal.team);
      const csr = parseCsrText(request.csr);
      const { names, faults } = normaliseNames({ subject: csr.subject, ...csr.extensions });
      if (faults.length > 0) throw namesRefused(faults, () => '/csr');
      const findings = checkPolicy(policy, {
        names,
        profile: request.profile,
        keyType: csr.publicKey.keyType,
        lifetimeSeconds: request.lifetimeSeconds,
        asksForCa: csr.extensions.ca,
        unknownCritical: csr.extensions.unknownCritical,
      });
      if (findings.length > 0) throw policyRefused(policy.source, findings);
      return this.sign({
        team: principal.team,
        actor: principal.name,
        profile: request.profile,
        names,
        publicKey: csr.publicKey,
        lifetimeSeconds: request.lifetimeSeconds ?? policy.lifetime.defaultSeconds,
        why: { asked: 'request', policy: policy.source },
      });
    } catch (error) {
      throw issuanceProblem(error);
    } finally {
      stop();
    }
  }

  #policyOf(team: string): Policy {
    const policy = this.#parts.policies.for(team);
    if (policy === undefined) throw noPolicy(team);
    return policy;
  }
}

/** The answer, from what was signed: the same as a later look into the inventory gives. */
const shown = (stored: NewCertificate, chain: string): Certificate => ({
  id: stored.id,
  team: stored.team,
  serial: stored.serial,
  state: 'valid',
  profile: stored.profile,
  subject: stored.subject,
  dnsNames: [...stored.dnsNames],
  ipAddresses: [...stored.ipAddresses],
  uris: [...stored.uris],
  keyType: stored.keyType,
  publicKeyHash: stored.publicKeyHash,
  issuer: stored.issuer,
  notBefore: stored.notBefore.toISOString(),
  notAfter: stored.notAfter.toISOString(),
  chain,
  createdAt: stored.createdAt.toISOString(),
});
