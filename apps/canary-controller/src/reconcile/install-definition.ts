import { setTimeout as pause } from 'node:timers/promises';

/**
 * Installs the custom resource definition, again and again until the API server takes it. `done` resolves with true
 * when it is there, with false when it was stopped before.
 */
export function installUntilThere(
  install: () => Promise<unknown>,
  options: { log: { warn(fields: object, message: string): void }; pauseMs?: number },
): { done: Promise<boolean>; stop(): void } {
  const stopping = new AbortController();
  const run = async (): Promise<boolean> => {
    while (!stopping.signal.aborted) {
      try {
        await install();
        return true;
      } catch (error) {
        options.log.warn({ reason: String(error) }, 'the definition of Canary could not be installed; trying again');
        await pause(options.pauseMs ?? 1_000, undefined, { signal: stopping.signal }).catch(() => undefined); // stopped
      }
    }
    return false;
  };
  return { done: run(), stop: () => stopping.abort() };
}
