/** Thirty, fourteen, seven days and one, in seconds. */
export const DEFAULT_THRESHOLDS_SECONDS = [2_592_000, 1_209_600, 604_800, 86_400] as const;

interface Lifetime {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/**
 * The thresholds that hold for one certificate, largest first, in whole seconds before its expiry. The configured ones
 * are meant for certificates that live three times as long as the largest, or longer; for others all are shortened
 * alike, so that the first falls on the last third of the lifetime: with the default, a day's certificate is alerted
 * about at 8 h, 3.7 h, 1.9 h and 16 min.
 */
export function thresholdsFor({ notBefore, notAfter }: Lifetime, configured: readonly number[]): number[] {
  const largest = Math.max(...configured, 0);
  if (largest === 0) return [];
  const lifetime = (notAfter.getTime() - notBefore.getTime()) / 1000;
  const scaled = configured.map((threshold) =>
    Math.max(1, Math.min(threshold, Math.floor((threshold * lifetime) / (3 * largest)))),
  );
  return [...new Set(scaled)].sort((left, right) => right - left);
}

/** When the next threshold below those announced is passed; undefined where none is left. */
export function nextNoticeAt(
  lifetime: Lifetime,
  configured: readonly number[],
  noticedSeconds: number | undefined,
): Date | undefined {
  const next = thresholdsFor(lifetime, configured).find((threshold) => threshold < (noticedSeconds ?? Infinity));
  return next === undefined ? undefined : new Date(lifetime.notAfter.getTime() - next * 1000);
}

/** What is to be done about one certificate now. */
export interface Notice {
  /** The threshold to announce: the innermost one passed. Undefined where none is, or the certificate has expired. */
  readonly announce: number | undefined;
  /** Thresholds at or above this one count as announced. */
  readonly noticedSeconds: number | undefined;
  readonly nextAt: Date | undefined;
}

/**
 * Decides what to announce. Where several thresholds were passed since the last look (the service was down, or the clock
 * jumped), only the innermost is announced: the outer ones would say less about the same thing.
 */
export function decideNotice(
  certificate: Lifetime & { readonly noticedSeconds: number | undefined },
  configured: readonly number[],
  now: Date,
): Notice {
  const { notAfter, noticedSeconds } = certificate;
  const secondsLeft = (notAfter.getTime() - now.getTime()) / 1000;
  if (secondsLeft <= 0) return { announce: undefined, noticedSeconds, nextAt: undefined };
  const announce = thresholdsFor(certificate, configured)
    .filter((threshold) => threshold >= secondsLeft && threshold < (noticedSeconds ?? Infinity))
    .at(-1);
  const noticed = announce ?? noticedSeconds;
  return { announce, noticedSeconds: noticed, nextAt: nextNoticeAt(certificate, configured, noticed) };
}
