import type { Database } from '@keelson/persistence';
import type { Settings } from '../settings/settings.ts';
import { HttpPaymentProvider } from './http-provider.ts';
import type { PaymentProvider } from './provider.ts';
import { RecordingPaymentProvider } from './recording-provider.ts';

type Wanted = Pick<Settings, 'PAYMENT_URL' | 'PAYMENT_TOKEN' | 'PAYMENT_TIMEOUT_MS'>;

/** The provider at PAYMENT_URL, or the built-in one, which only records. */
export function paymentProvider(settings: Wanted, database: Database): PaymentProvider {
  if (settings.PAYMENT_URL === undefined) return new RecordingPaymentProvider(database);
  return new HttpPaymentProvider({
    url: settings.PAYMENT_URL,
    token: settings.PAYMENT_TOKEN,
    timeoutMs: settings.PAYMENT_TIMEOUT_MS,
  });
}
