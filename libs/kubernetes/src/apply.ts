import { isConflict, type Cause } from './errors.ts';

/** A field that another manager owns with another value. `field` as the server writes it: `.spec.replicas`. */
export type FieldConflict = { field: string; manager: string; message: string };

export type ApplyOutcome<T> = { kind: 'applied'; object: T } | { kind: 'conflict'; causes: FieldConflict[] };

/** Runs an apply; a 409 about field ownership becomes a result, any other error stays one. */
export async function applyOutcome<T>(apply: () => Promise<T>): Promise<ApplyOutcome<T>> {
  try {
    return { kind: 'applied', object: await apply() };
  } catch (error) {
    if (!isConflict(error)) throw error;
    const causes = error.causes.filter((cause) => cause.reason === 'FieldManagerConflict');
    // Also 409: a write in between (resourceVersion given), or a namespace that is going away.
    if (causes.length === 0) throw error;
    return { kind: 'conflict', causes: causes.map(fieldConflict) };
  }
}

/** The server says `conflict with "kubectl" using apps/v1` or `conflict with "kubectl" with subresource "scale" using ...`. */
function fieldConflict({ field, message }: Cause): FieldConflict {
  return { field, manager: /conflict with "([^"]*)"/.exec(message)?.[1] ?? '', message };
}
