import { KubernetesError } from '@keelson/kubernetes';
import { setTimeout as pause } from 'node:timers/promises';

/**
 * Installs the custom resource definition, again and again until the API server takes it. Where it may not be installed
 * (403: an administrator does that) it is enough that Canaries are served. `done` resolves with true when they are, with
 * false when it was stopped before.
 */
export function installUntilThere(
  install: () => Promise<unknown>,
  options: { log: { warn(fields: object, message: string): void }; isThere: () => Promise<boolean>; pauseMs?: number },
): { done: Promise<boolean>; stop(): void } {
  const stopping = new AbortController();
  const { log, isThere, pauseMs = 1_000 } = options;
  const installed = async (): Promise<boolean> => {
    try {
      await install();
      return true;
    } catch (error) {
      const forbidden = error instanceof KubernetesError && error.status === 403;
      if (forbidden && (await isThere().catch(() => false))) {
        log.warn(
          { reason: error.message },
          'the definition of Canary may not be installed; the one that is there is used',
        );
        return true;
      }
      log.warn({ reason: String(error) }, 'the definition of Canary could not be installed; trying again');
      return false;
    }
  };
  const run = async (): Promise<boolean> => {
    while (!stopping.signal.aborted) {
      if (await installed()) return true;
      await pause(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined); // stopped
    }
    return false;
  };
  return { done: run(), stop: () => stopping.abort() };
}
