/** What can be wrong with a request; each is a problem code of its own over HTTP. */
export type CsrFault = 'malformed-csr' | 'bad-csr-signature' | 'weak-key' | 'weak-signature';

/** A request that is refused before any policy is asked. The message is meant for whoever sent it. */
export class CsrError extends Error {
  readonly fault: CsrFault;

  constructor(fault: CsrFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CsrError';
    this.fault = fault;
  }
}
