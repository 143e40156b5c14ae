import type { PaymentMode } from '@keelson/testing';
import { setTimeout as pause } from 'node:timers/promises';
import { dice } from '../schedule/seeded.ts';
import type { CarryOut } from './carry-out.ts';

export const killPayment: CarryOut = async ({ place, fault, say }) => {
  place.payment.kill('SIGKILL');
  await place.payment.exited;
  say('kill -9 of the payment provider');
  await pause(fault.outageMs);
  await place.startPayment();
  say('the payment provider is up again, with its books');
};

/** Behaves so for a while; where it delays, for so many ms, as the fault's seed says. */
const behaves =
  (mode: PaymentMode, words: string, delay: readonly [number, number] = [0, 0]): CarryOut =>
  async ({ place, fault, say }) => {
    const delayMs = dice(fault.seed).between(...delay);
    await place.payment.behave({ mode, delayMs });
    say(`the payment provider ${words}${delayMs > 0 ? ` (${(delayMs / 1000).toFixed(1)} s)` : ''}`);
    await pause(fault.outageMs);
    await place.payment.behave({ mode: 'normal', delayMs: 0 });
    say('the payment provider is itself again');
  };

export const paymentDown = behaves('down', 'answers 503');
export const paymentSlow = behaves('slow', 'books late', [1_000, 7_000]);
// PAYMENT_TIMEOUT_MS is 5 s.
export const paymentLate = behaves('late', 'books at once and answers late', [5_500, 8_000]);
export const paymentDropping = behaves('dropping', 'books and breaks the connection');
export const paymentDeclines = behaves('declining', 'declines');
