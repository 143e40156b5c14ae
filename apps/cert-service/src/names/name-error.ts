/** A name that no certificate can carry; the message names it, says why, and what would be right. */
export class NameError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NameError';
  }
}
