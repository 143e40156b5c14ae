/** Nest token of the opened {@link Authority}. */
export const AUTHORITY = Symbol('keelson.cert-service.authority');
