/** Nest tokens that every service can inject; the module of the kit that provides them is global. */

/** The loaded configuration of the service. */
export const CONFIG = Symbol('keelson.config');
/** The {@link Clock} of the service. */
export const CLOCK = Symbol('keelson.clock');
/** Optional: an IdempotencyStore. Where one is provided, operations with `idempotent: true` honour Idempotency-Key. */
export const IDEMPOTENCY_STORE = Symbol('keelson.idempotency-store');
/** Optional: a CredentialVerifier that takes the place of TOKENS_FILE. */
export const CREDENTIAL_VERIFIER = Symbol('keelson.credential-verifier');
