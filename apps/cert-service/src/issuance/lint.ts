import type { Issuer } from '../authority/issuer.ts';
import { ecdsaWithSha256 } from '../authority/issuer.ts';
import { DerError, DerReader, OID, TAG } from '../der/index.ts';
import { extensionOf, viewTbs, type ExtensionView, type TbsView } from './tbs-view.ts';

/** A clause that the certificate breaks. */
export interface LintFinding {
  readonly rule: string;
  readonly clause: string;
  readonly detail: string;
}

/** A certificate that must not be signed; a fault of ours, whatever was asked. */
export class LintError extends Error {
  readonly findings: readonly LintFinding[];

  constructor(findings: readonly LintFinding[]) {
    super(`not signed: ${findings.map(({ rule, clause, detail }) => `${rule} (${clause}): ${detail}`).join('; ')}`);
    this.name = 'LintError';
    this.findings = findings;
  }
}

type IssuerView = Pick<Issuer, 'name' | 'keyIdentifier' | 'notBefore' | 'notAfter'>;
type Lint = readonly [clause: string, check: (tbs: TbsView, issuer: IssuerView) => string | undefined];

const YEAR_2050 = Date.UTC(2050, 0, 1);
const unless = (fine: boolean, detail: string): string | undefined => (fine ? undefined : detail);

/** Each rule: the clause it comes from, and a check that answers what is wrong. All clauses are of RFC 5280. */
const lints: Readonly<Record<string, Lint>> = {
  version: ['4.1.2.1', ({ version }) => unless(version === 2, `version is ${version}, must be 2 (v3)`)],

  serial: [
    '4.1.2.2',
    ({ serial }) =>
      unless(
        serial.length <= 20 && serial[0]! < 0x80 && serial.some((octet) => octet !== 0),
        'serial must be positive, at most 20 octets',
      ),
  ],

  signature: [
    '4.1.2.3',
    ({ algorithm }) => unless(algorithm.equals(ecdsaWithSha256), "signature is not the issuer's algorithm"),
  ],

  issuer: [
    '4.1.2.4',
    ({ issuer }, by) => unless(issuer.equals(by.name), "issuer is not the authority's subject, octet by octet"),
  ],

  validity: [
    '4.1.2.5',
    ({ notBefore, notAfter }, by) =>
      unless(
        notBefore.at < notAfter.at && notBefore.at >= by.notBefore && notAfter.at <= by.notAfter,
        "validity is empty or goes beyond the authority's",
      ),
  ],

  'time-form': [
    '4.1.2.5',
    ({ notBefore, notAfter }) =>
      unless(
        [notBefore, notAfter].every(({ at, tag }) => (tag === TAG.utcTime) === at.getTime() < YEAR_2050),
        'dates through 2049 must be UTCTime, later ones GeneralizedTime',
      ),
  ],

  'extensions-once': [
    '4.2',
    ({ extensions }) =>
      unless(new Set(extensions.map(({ id }) => id)).size === extensions.length, 'an extension is there twice'),
  ],

  'basic-constraints': [
    '4.2.1.9',
    (tbs) => {
      const found = extensionOf(tbs, OID.basicConstraints);
      return unless(found?.critical === true && found.value.equals(emptySequence), 'must be critical and not a CA');
    },
  ],

  'key-usage': [
    '4.2.1.3',
    (tbs) => {
      const found = extensionOf(tbs, OID.keyUsage);
      if (found === undefined || !found.critical) return 'must be there and critical';
      const { bits } = new DerReader(found.value).bits('keyUsage');
      const first = bits[0] ?? 0;
      if ((first & 0x06) !== 0) return 'an end entity must not sign certificates or revocation lists';
      return unless(
        (first & 0x80) !== 0 && ((first & 0x20) === 0 || tbs.keyAlgorithm === OID.rsaEncryption),
        'digitalSignature is missing, or keyEncipherment stands on a key that cannot',
      );
    },
  ],

  'ext-key-usage': [
    '4.2.1.12',
    (tbs) => unless((extensionOf(tbs, OID.extKeyUsage)?.value.length ?? 0) > 2, 'no purpose is named'),
  ],

  'authority-key-identifier': [
    '4.2.1.1',
    (tbs, by) => {
      const found = extensionOf(tbs, OID.authorityKeyIdentifier);
      if (found === undefined || found.critical) return 'must be there and not critical';
      const identifier = new DerReader(found.value).enter('authorityKeyIdentifier').content('keyIdentifier', 0x80);
      return unless(identifier.equals(by.keyIdentifier), "is not the authority's subject key identifier");
    },
  ],

  'subject-key-identifier': [
    '4.2.1.2',
    (tbs) => {
      const found = extensionOf(tbs, OID.subjectKeyIdentifier);
      return unless(
        found?.critical === false && found.value.length === 22,
        'must be there, not critical, of 20 octets',
      );
    },
  ],

  'subject-or-names': [
    '4.1.2.6',
    (tbs) => {
      const names = extensionOf(tbs, OID.subjectAltName);
      const empty = tbs.subject.equals(emptySequence);
      if (names === undefined) return unless(!empty, 'subject is empty and there are no alternative names');
      return unless(names.critical === empty, 'alternative names must be critical exactly where the subject is empty');
    },
  ],

  'alternative-names': ['4.2.1.6', (tbs) => checkAlternativeNames(extensionOf(tbs, OID.subjectAltName))],

  'distribution-point': [
    '4.2.1.13',
    (tbs) => {
      const found = extensionOf(tbs, OID.crlDistributionPoints);
      return unless(
        found === undefined || (!found.critical && /https?:\/\//.test(found.value.toString('latin1'))),
        'is no HTTP URL',
      );
    },
  ],
};

const emptySequence = Buffer.from([TAG.sequence, 0]);
const dnsLabel = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

function checkAlternativeNames(found: ExtensionView | undefined): string | undefined {
  if (found === undefined) return undefined;
  const names = new DerReader(found.value).enter('subjectAltName');
  const seen = new Set<string>();
  while (!names.done) {
    const { tag, start, contentStart, end } = names.element('name');
    const content = found.value.subarray(contentStart, end);
    const key = found.value.toString('latin1', start, end);
    if (seen.has(key)) return 'a name is there twice';
    seen.add(key);
    const text = content.toString('latin1');
    if (tag === 0x82) {
      const host = text.startsWith('*.') ? text.slice(2) : text;
      if (text.length > 253 || !host.split('.').every((label) => dnsLabel.test(label))) return `${text} is no DNS name`;
    } else if (tag === 0x87) {
      if (content.length !== 4 && content.length !== 16) return `an IP address has ${content.length} octets`;
    } else if (tag === 0x86) {
      if (!/^[a-z][a-z0-9+.-]*:[\x21-\x7e]+$/.test(text)) return `${text} is no absolute URI`;
    } else return `a name has the unexpected tag ${tag}`;
  }
  return seen.size === 0 ? 'is empty' : undefined;
}

/** Names of all rules: what is stored as passed with each certificate. */
export const lintRules: readonly string[] = Object.keys(lints);

/** Holds a TBSCertificate against RFC 5280, from its octets alone. Empty where nothing is wrong. */
export function lint(toBeSigned: Buffer, issuer: IssuerView): LintFinding[] {
  const findings: LintFinding[] = [];
  try {
    const view = viewTbs(toBeSigned);
    for (const [rule, [clause, check]] of Object.entries(lints)) {
      const detail = check(view, issuer);
      if (detail !== undefined) findings.push({ rule, clause: `RFC 5280 ${clause}`, detail });
    }
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    findings.push({ rule: 'der', clause: 'RFC 5280 4.1', detail: error.message });
  }
  return findings;
}
