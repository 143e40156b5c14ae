import { certificatesApi } from '@keelson/contracts';
import { CallerError, registerProblems } from '@keelson/service-kit';
import { CsrError } from './csr-error.ts';
import type { NameFault } from './names.ts';
import type { PolicyFinding } from './policy.ts';
import { IssuerNotValidError } from './validity.ts';

registerProblems(certificatesApi.problems ?? {});

/** What the caller gets to see of a fault in a request; anything else is passed on as it is. */
export function issuanceProblem(error: unknown): unknown {
  if (error instanceof CsrError) {
    return new CallerError(error.fault, {
      detail: `The request cannot be used: ${error.message}.`,
      errors: [{ pointer: '/csr', detail: error.message }],
      cause: error.cause,
    });
  }
  if (error instanceof IssuerNotValidError) {
    return new CallerError('issuer-not-valid', { detail: error.message, retryAfterSeconds: 60 });
  }
  return error;
}

/** A refusal that names everything that is wrong with the names. */
export const namesRefused = (faults: readonly NameFault[], pointer: (fault: NameFault) => string): CallerError =>
  new CallerError('policy-refused', {
    detail: `${faults.length} name(s) cannot stand in a certificate: ${faults[0]?.detail ?? ''}`,
    errors: faults.map((fault) => ({ pointer: pointer(fault), detail: `name: ${fault.detail}` })),
  });

/** A refusal that names every rule that the request fails. */
export const policyRefused = (source: string, findings: readonly PolicyFinding[]): CallerError =>
  new CallerError('policy-refused', {
    detail: `The policy (${source}) refuses it: ${findings.length} finding(s), the first is ${findings[0]?.rule}: ${findings[0]?.detail}.`,
    errors: findings.map(({ rule, pointer, detail }) => ({ pointer, detail: `${rule}: ${detail}` })),
  });

/** The policy file has no entry for the team, and no default. */
export const noPolicy = (team: string): CallerError =>
  new CallerError('policy-refused', {
    detail: `The policy file has no entry for team ${JSON.stringify(team)} and no default; add one of them.`,
    errors: [{ pointer: '', detail: `team: ${team} may not ask for certificates` }],
  });
