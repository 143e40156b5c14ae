/** From when until when, in whole seconds. */
export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** The clock is outside of the issuer's own validity: nothing signed now would verify. */
export class IssuerNotValidError extends Error {
  constructor(now: Date, issuer: Validity) {
    super(
      `the clock says ${now.toISOString()}, yet the issuing authority is valid from ${issuer.notBefore.toISOString()} to ${issuer.notAfter.toISOString()}; check the clock of this machine, or renew the authority`,
    );
    this.name = 'IssuerNotValidError';
  }
}

/** Clocks of clients run a little behind: a certificate is valid from one minute before it was asked for. */
const BACKDATE_SECONDS = 60;

/**
 * Validity of a certificate asked for now: backdated a minute, but not before its issuer, and never beyond the issuer's
 * end. `lifetimeSeconds` counts from now. Throws {@link IssuerNotValidError}.
 */
export function validityOf(now: Date, lifetimeSeconds: number, issuer: Validity): Validity {
  if (now < issuer.notBefore || now >= issuer.notAfter) throw new IssuerNotValidError(now, issuer);
  const second = Math.floor(now.getTime() / 1000);
  return {
    notBefore: new Date(Math.max((second - BACKDATE_SECONDS) * 1000, issuer.notBefore.getTime())),
    notAfter: new Date(Math.min((second + lifetimeSeconds) * 1000, issuer.notAfter.getTime())),
  };
}
