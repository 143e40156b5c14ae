import type { Container } from '../kubernetes-objects.ts';
import type { BackOff } from './back-off.ts';

/**
 * What is known of one container of a pod.
 * `waiting`: not started yet, or could not be (then `retryAt`); `starting`: its process is being prepared; `running`:
 * entered when the process runs, left when it ends; `ended`: stays until a restart is due, or for good.
 */
export type ContainerState =
  | { phase: 'waiting'; reason: string; message?: string; retryAt?: number }
  | { phase: 'starting' }
  | { phase: 'running'; startedAt: number; containerId: string; started: boolean; ready: boolean }
  | Ended;

export type Ended = {
  phase: 'ended';
  exitCode: number;
  signal?: number;
  reason: string;
  message?: string;
  startedAt: number;
  finishedAt: number;
  containerId: string;
};

export type ContainerRecord = {
  name: string;
  spec: Container;
  /** `init` runs to its end before the next starts; `sidecar` is an init container that stays (restartPolicy Always). */
  kind: 'init' | 'sidecar' | 'main';
  state: ContainerState;
  /** How its last run ended. */
  last?: Ended;
  restartCount: number;
  backOff?: BackOff;
  /** It waits for its back-off to pass: shown as CrashLoopBackOff, with this delay. */
  backingOffMs?: number;
};

/** The reason that kubelet gives a container's end. */
export const endReason = (exitCode: number): string => (exitCode === 0 ? 'Completed' : 'Error');
