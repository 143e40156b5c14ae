import { createHash, X509Certificate } from 'node:crypto';
import {
  KubernetesError,
  KubernetesUnreachableError,
  resources,
  type ApplyOutcome,
  type FieldConflict,
  type KubernetesClient,
  type Secret,
} from '@keelson/kubernetes';

/** Who owns the fields that this service writes. */
export const FIELD_MANAGER = 'keelson-cert-service';

/** What the Secret says about where it comes from. */
export const DELIVERY_LABEL = 'keelson.dev/delivery';

const TIMEOUT_MS = 5_000;

/** Where a certificate goes. */
export interface SecretPlace {
  readonly namespace: string;
  readonly name: string;
}

/** What was tried, in words that say what to do. */
export type WriteResult =
  | { readonly kind: 'written' }
  | { readonly kind: 'conflict'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string };

/** Reads and writes kubernetes.io/tls Secrets. Refusals and faults of the API server come back as results. */
export class TlsSecrets {
  readonly #client: KubernetesClient;

  constructor(client: KubernetesClient) {
    this.#client = client;
  }

  /** The Secret as it is; undefined where there is none. Throws what the client throws. */
  async read(place: SecretPlace): Promise<Secret | undefined> {
    return this.#client.find(resources.secrets, { ...place, timeoutMs: TIMEOUT_MS });
  }

  /** Asks the API server whether a write would succeed, without a key and without changing anything. */
  async rehearse(place: SecretPlace, delivery: string): Promise<WriteResult> {
    return this.#apply(
      place,
      delivery,
      { 'tls.crt': Buffer.from('rehearsal'), 'tls.key': Buffer.from('rehearsal') },
      true,
    );
  }

  /** Writes chain and key by server-side apply, never by force: what others own is left to them. */
  async write(place: SecretPlace, delivery: string, chain: string, key: string): Promise<WriteResult> {
    return this.#apply(place, delivery, { 'tls.crt': Buffer.from(chain), 'tls.key': Buffer.from(key) }, false);
  }

  async #apply(
    { namespace, name }: SecretPlace,
    delivery: string,
    data: Record<string, Buffer>,
    dryRun: boolean,
  ): Promise<WriteResult> {
    const object = {
      metadata: { namespace, name, labels: { [DELIVERY_LABEL]: delivery } },
      type: 'kubernetes.io/tls',
      data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, value.toString('base64')])),
    } as Secret;
    try {
      const options = { fieldManager: FIELD_MANAGER, dryRun, timeoutMs: TIMEOUT_MS };
      return outcomeOf(await this.#client.apply(resources.secrets, object, options), `${namespace}/${name}`);
    } catch (error) {
      return { kind: 'failed', reason: failureText(error) };
    }
  }
}

function outcomeOf(outcome: ApplyOutcome<Secret>, secret: string): WriteResult {
  if (outcome.kind === 'applied') return { kind: 'written' };
  return { kind: 'conflict', reason: conflictText(secret, outcome.causes) };
}

function conflictText(secret: string, causes: readonly FieldConflict[]): string {
  const owned = causes.map(({ field, manager }) => `${field} (owned by ${manager})`).join(', ');
  return `Secret ${secret} is written by someone else too: ${owned}. Nothing was overwritten; delete the Secret, or have them give these fields up, and the delivery goes on.`;
}

/** The Secret holds other data than was delivered. */
export function foreignDataText(secret: Secret, place: SecretPlace): string {
  const managers = (secret.metadata?.managedFields ?? [])
    .filter(({ manager }) => manager !== undefined && manager !== FIELD_MANAGER)
    .map(({ manager }) => manager);
  const who = managers.length > 0 ? ` (other writers: ${[...new Set(managers)].join(', ')})` : '';
  return `Secret ${place.namespace}/${place.name} holds another certificate than the one delivered${who}. Nothing was overwritten; delete the Secret and it is delivered again.`;
}

/** Why a call to the API server failed, for the delivery's reason. */
export function failureText(error: unknown): string {
  if (error instanceof KubernetesUnreachableError) return `The Kubernetes API cannot be reached: ${error.message}.`;
  if (error instanceof KubernetesError) return `The Kubernetes API refused it (${error.status}): ${error.message}.`;
  throw error;
}

/** SHA-256 of the first certificate in a Secret's tls.crt; undefined where there is none. */
export function certificateIn(secret: Secret): string | undefined {
  const pem = Buffer.from(secret.data?.['tls.crt'] ?? '', 'base64');
  try {
    return fingerprint(new X509Certificate(pem).raw);
  } catch {
    return undefined; // whatever is there is no certificate: certainly not the one delivered
  }
}

export const fingerprint = (certificate: Buffer): string => createHash('sha256').update(certificate).digest('hex');
