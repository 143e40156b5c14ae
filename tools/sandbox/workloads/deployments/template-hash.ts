import { createHash } from 'node:crypto';

import type { PodTemplate } from '../objects.ts';

/** The label that tells a Deployment's ReplicaSets apart. */
export const hashLabel = 'pod-template-hash';

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, canonical(inner)]),
  );
}

/** The template as it compares: without the hash label itself. */
function comparable({ metadata = {}, spec }: PodTemplate): string {
  const { [hashLabel]: _, ...labels } = metadata.labels ?? {};
  const annotations = metadata.annotations ?? {};
  return JSON.stringify(canonical({ labels, annotations, spec }));
}

export const sameTemplate = (a: PodTemplate, b: PodTemplate): boolean => comparable(a) === comparable(b);

// No vowels and no digits that look like them: a hash never spells a word (k8s.io/apimachinery/pkg/util/rand).
const alphabet = 'bcdfghjklmnpqrstvwxz2456789';

/**
 * Ten characters from the template (and the count of collisions so far). Only its own templates need to differ: the
 * real controller's hash is of Go's memory layout, which nobody else can compute.
 */
export function templateHash(template: PodTemplate, collisionCount = 0): string {
  const digest = createHash('sha256')
    .update(`${comparable(template)} ${collisionCount}`)
    .digest();
  return Array.from({ length: 10 }, (_, i) => alphabet[digest.readUInt8(i) % alphabet.length]).join('');
}
