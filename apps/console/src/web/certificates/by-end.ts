import type { Certificate } from '@keelson/contracts';

/** Those that end first come first. */
export const byEnd = (certificates: readonly Certificate[]): Certificate[] =>
  certificates.toSorted((a, b) => a.notAfter.localeCompare(b.notAfter) || a.id.localeCompare(b.id));
