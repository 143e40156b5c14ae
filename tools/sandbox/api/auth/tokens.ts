import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

import type { Json } from '../json.ts';

export interface User {
  name: string;
  uid?: string;
  groups: readonly string[];
  extra?: Record<string, string[]>;
}

/** Static tokens (the kubeconfig's admin), and signed ones that TokenRequest issues to service accounts. */
export class Tokens {
  readonly #static = new Map<string, User>();
  readonly #key = randomBytes(32);
  readonly #now: () => Date;

  constructor(now: () => Date) {
    this.#now = now;
  }

  /** A new random token for `user`, valid as long as the server runs. */
  issueStatic(user: User): string {
    const token = randomBytes(24).toString('base64url');
    this.#static.set(token, user);
    return token;
  }

  /** Lets `token` be `user`'s: a token that outlives the server comes from outside. */
  accept(token: string, user: User): void {
    this.#static.set(token, user);
  }

  #sign(payload: string): string {
    return createHmac('sha256', this.#key).update(payload).digest('base64url');
  }

  /**
   * A service account's token, a JWT with kube-apiserver's claims. HS256 with a key of this process alone: nobody
   * else can verify it, and nobody else needs to (there is no OIDC discovery in the sandbox).
   */
  issueServiceAccount(o: {
    namespace: string;
    name: string;
    uid: string;
    audiences: readonly string[];
    seconds: number;
    bound?: Json;
  }): {
    token: string;
    expires: Date;
  } {
    const now = Math.floor(this.#now().getTime() / 1000);
    const claims = {
      aud: o.audiences,
      exp: now + o.seconds,
      iat: now,
      nbf: now,
      iss: 'https://kubernetes.default.svc',
      sub: `system:serviceaccount:${o.namespace}:${o.name}`,
      'kubernetes.io': { namespace: o.namespace, serviceaccount: { name: o.name, uid: o.uid }, ...o.bound },
    };
    const part = (value: Json): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const payload = `${part({ alg: 'HS256', kid: 'sandbox' })}.${part(claims)}`;
    return { token: `${payload}.${this.#sign(payload)}`, expires: new Date(claims.exp * 1000) };
  }

  /** Who a bearer token is; undefined for one that is unknown, forged, expired, or of an account that is gone. */
  verify(token: string, uidOf: (namespace: string, name: string) => string | undefined): User | undefined {
    const known = this.#static.get(token);
    if (known) return known;
    const [head, body, signature] = token.split('.');
    if (!head || !body || !signature) return undefined;
    const expected = Buffer.from(this.#sign(`${head}.${body}`));
    const given = Buffer.from(signature);
    if (expected.length !== given.length || !timingSafeEqual(expected, given)) return undefined;
    const claims: Json = JSON.parse(Buffer.from(body, 'base64url').toString());
    const { namespace, serviceaccount } = claims['kubernetes.io'];
    if (claims.exp * 1000 <= this.#now().getTime() || uidOf(namespace, serviceaccount.name) !== serviceaccount.uid) {
      return undefined;
    }
    return serviceAccountUser(namespace, serviceaccount.name, serviceaccount.uid);
  }
}

export const serviceAccountUser = (namespace: string, name: string, uid?: string): User => ({
  name: `system:serviceaccount:${namespace}:${name}`,
  ...(uid ? { uid } : {}),
  groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
});
