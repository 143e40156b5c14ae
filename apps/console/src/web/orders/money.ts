/** Cents as an amount with two decimals; the workload knows no currency. */
export const amount = (cents: number): string =>
  new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(cents / 100);
