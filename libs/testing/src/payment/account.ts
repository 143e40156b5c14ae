import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';

/** What the provider has in its books for one reference of the shop. */
export interface Payment {
  readonly id: string;
  readonly reference: string;
  readonly amountCents: number;
  /** `reversed`: given back, or refused before it was taken. */
  status: 'succeeded' | 'declined' | 'reversed';
  declineCode?: string;
  refundedCents: number;
  readonly at: string;
}

interface Line {
  put?: Payment;
  reversed?: string;
}

/** The provider's books, kept in a file where one is given, so that a killed provider knows them again. */
export class Account {
  readonly #file: string | undefined;
  /** By id, in the order of their making: this is what money moved. */
  readonly payments = new Map<string, Payment>();
  readonly #byReference = new Map<string, Payment[]>();
  /** References that were reversed: nothing may be taken for them any more. */
  readonly reversed = new Set<string>();

  constructor(file?: string) {
    this.#file = file;
    if (file === undefined || !existsSync(file)) return;
    for (const text of readFileSync(file, 'utf8').split('\n').filter(Boolean)) this.#apply(JSON.parse(text) as Line);
  }

  put(payment: Omit<Payment, 'id' | 'at' | 'refundedCents'>): Payment {
    const whole: Payment = { ...payment, id: `pay_${randomUUID()}`, at: new Date().toISOString(), refundedCents: 0 };
    this.#write({ put: whole });
    return whole;
  }

  of(reference: string): readonly Payment[] {
    return this.#byReference.get(reference) ?? [];
  }

  /** Gives back what was taken for the reference, and has nothing taken for it later. Returns the cents given back. */
  reverse(reference: string): number {
    const before = this.of(reference).reduce((sum, { refundedCents }) => sum + refundedCents, 0);
    if (!this.reversed.has(reference)) this.#write({ reversed: reference });
    return this.of(reference).reduce((sum, { refundedCents }) => sum + refundedCents, 0) - before;
  }

  #write(line: Line): void {
    // Before anybody is told: the books of a bank survive kill -9.
    if (this.#file !== undefined) appendFileSync(this.#file, `${JSON.stringify(line)}\n`);
    this.#apply(line);
  }

  #apply({ put, reversed }: Line): void {
    if (put) {
      this.payments.set(put.id, put);
      this.#byReference.set(put.reference, [...this.of(put.reference), put]);
    }
    if (reversed === undefined) return;
    this.reversed.add(reversed);
    for (const payment of this.of(reversed)) {
      if (payment.status !== 'succeeded') continue;
      payment.status = 'reversed';
      payment.refundedCents = payment.amountCents;
    }
  }
}
