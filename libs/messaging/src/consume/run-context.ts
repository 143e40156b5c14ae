import type { Tx } from '@keelson/persistence';
import type { Cancellation } from './cancellation.ts';
import type { MessageContext } from './subscription.ts';

/** What a handler gets besides its message; its AbortSignal is made only for one that looks at it. */
export class RunContext implements MessageContext {
  readonly attempt: number;
  readonly tx: Tx | undefined;
  readonly #limit: Cancellation;

  constructor(attempt: number, limit: Cancellation, tx: Tx | undefined) {
    this.attempt = attempt;
    this.#limit = limit;
    this.tx = tx;
  }

  get signal(): AbortSignal {
    return this.#limit.signal;
  }
}
