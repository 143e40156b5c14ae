/** A difference between two versions of a contract that somebody must know of. */
export interface Change {
  /** `breaking`: a program written for the base stops working. `notice`: one that is strict about it may. */
  readonly kind: 'breaking' | 'notice';
  /** Where: `GET /v1/orders response items[].status`. */
  readonly where: string;
  readonly what: string;
}

export const breaking = (where: string, what: string): Change => ({ kind: 'breaking', where, what });
export const notice = (where: string, what: string): Change => ({ kind: 'notice', where, what });
