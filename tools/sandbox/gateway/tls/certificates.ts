import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { Secret } from '../kubernetes-objects.ts';
import { selfSigned } from '../../self-signed/self-signed.ts';

export type Certificate = {
  context: SecureContext;
  certificate: string;
  key: string;
  expires: Date;
};

/** Certificates from Secrets, by `namespace/name`. One that cannot be used leaves the former in place and is told. */
export class Certificates {
  readonly #bySecret = new Map<string, Certificate>();
  readonly #fallback: Certificate;
  readonly #defaultSecret: string | undefined;
  readonly #warn: (message: string) => void;

  constructor(options: { defaultSecret: string | undefined; now: Date; warn: (message: string) => void }) {
    this.#defaultSecret = options.defaultSecret;
    this.#warn = options.warn;
    const { certificate, key } = selfSigned({
      commonName: 'Kubernetes Ingress Controller Fake Certificate',
      names: ['ingress.local', 'localhost', '127.0.0.1'],
      days: 365,
      now: options.now,
    });
    this.#fallback = read(certificate, key);
  }

  put(secret: Secret): void {
    const name = `${secret.metadata.namespace}/${secret.metadata.name}`;
    const certificate = decode(secret, 'tls.crt');
    const key = decode(secret, 'tls.key');
    if (certificate === undefined || key === undefined) return;
    const known = this.#bySecret.get(name);
    if (known?.certificate === certificate && known.key === key) return;
    try {
      this.#bySecret.set(name, read(certificate, key));
    } catch (error) {
      const what = known === undefined ? 'the default certificate serves instead' : 'the former one stays in use';
      this.#warn(`certificate of Secret ${name} cannot be used (${(error as Error).message}); ${what}`);
    }
  }

  remove(secret: Secret): void {
    this.#bySecret.delete(`${secret.metadata.namespace}/${secret.metadata.name}`);
  }

  /** The certificate of a Secret, else the default one, else the self-signed. */
  get(secret: string | undefined): Certificate {
    return (secret === undefined ? undefined : this.#bySecret.get(secret)) ?? this.default;
  }

  has(secret: string | undefined): boolean {
    return secret !== undefined && this.#bySecret.has(secret);
  }

  get default(): Certificate {
    return (this.#defaultSecret === undefined ? undefined : this.#bySecret.get(this.#defaultSecret)) ?? this.#fallback;
  }
}

function read(certificate: string, key: string): Certificate {
  // Throws when the key does not belong to the certificate.
  const context = createSecureContext({ cert: certificate, key, minVersion: 'TLSv1.2' });
  return { context, certificate, key, expires: new Date(new X509Certificate(certificate).validTo) };
}

function decode(secret: Secret, key: string): string | undefined {
  const value = secret.data?.[key];
  return value === undefined ? undefined : Buffer.from(value, 'base64').toString('utf8');
}
