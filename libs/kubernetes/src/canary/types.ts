import type { CanaryPhase, CanarySpec, Evidence } from '@keelson/contracts';
import type { Condition, KubernetesObject, ObjectMeta } from '../wire.ts';

export const canaryGroup = 'keelson.dev';
export const canaryVersion = 'v1alpha1';

/** What canary-controller writes; users never do. */
export type CanaryStatus = {
  phase?: CanaryPhase;
  /** Why it is in this phase, in words. */
  reason?: string;
  /** Index into spec.steps; -1 before the first. */
  step?: number;
  /** Per cent of requests that go to the new version now. */
  weight?: number;
  /** metadata.generation when the release began. */
  release?: number;
  /** Since when it is in this phase, RFC 3339. */
  since?: string;
  /** The last metadata.generation that the controller has looked at. */
  observedGeneration?: number;
  /** The last look at the new version. */
  evidence?: Evidence[];
  /** `Ready`, `Progressing`, `Promoted`, `RolledBack`: what `kubectl wait --for=condition=...` waits for. */
  conditions?: Condition[];
};

/** The `Canary` custom resource, keelson.dev/v1alpha1. */
export type CanaryResource = KubernetesObject & { metadata: ObjectMeta; spec: CanarySpec; status?: CanaryStatus };
