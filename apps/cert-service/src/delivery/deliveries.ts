import type { Delivery } from '@keelson/contracts';
import type { Database, Tx } from '@keelson/persistence';
import { CallerError, type Clock, type Principal } from '@keelson/service-kit';
import { appendAudit } from '../audit/audit-log.ts';
import type { TeamScope } from '../inventory/certificate-store.ts';
import type { Issuance } from '../issuance/issuance.ts';
import { uuidV7 } from '../storage/uuid-v7.ts';
import { defaultRenewBefore } from './decide.ts';
import { toDelivery } from './delivery-row.ts';
import { removeDelivery, storeDelivery } from './delivery-store.ts';

/** A request to keep a certificate in a Secret. */
export interface DeliveryRequest {
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly secret: { readonly namespace: string; readonly name: string };
  readonly lifetimeSeconds?: number | undefined;
  readonly renewBeforeSeconds?: number | undefined;
}

interface DeliveriesParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly issuance: Issuance;
  /** Whether there is a cluster to deliver to. */
  readonly available: boolean;
  /** Namespaces that may be delivered to; `*` for all. */
  readonly namespaces: readonly string[];
  /** Called when there is something to do. */
  readonly wake: () => void;
}

/** Names of Secrets and namespaces: RFC 1123 subdomain and label, as the API server wants them. */
const subdomain = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/;
const label = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;

/** Takes deliveries in and ends them; the worker carries them out. */
export class Deliveries {
  readonly #parts: DeliveriesParts;

  constructor(parts: DeliveriesParts) {
    this.#parts = parts;
  }

  /** Accepts a delivery. Throws CallerError where it could never be carried out. */
  async create(
    request: DeliveryRequest,
    principal: Principal,
    also?: (tx: Tx, delivery: Delivery) => Promise<void>,
  ): Promise<Delivery> {
    const { database, clock, issuance, wake } = this.#parts;
    this.#checkPlace(request.secret);
    const { names, policy } = issuance.allow(principal.team, request, request.lifetimeSeconds);
    this.#checkTeamNamespace(policy.deliveryNamespaces, policy.source, request.secret.namespace);
    const lifetimeSeconds = request.lifetimeSeconds ?? policy.lifetime.defaultSeconds;
    const renewBeforeSeconds = request.renewBeforeSeconds ?? defaultRenewBefore(lifetimeSeconds);
    checkRenewal(renewBeforeSeconds, lifetimeSeconds);
    const now = clock.now();
    const { namespace, name } = request.secret;
    return database.transaction(async (tx) => {
      const row = await storeDelivery(tx, {
        id: uuidV7(now),
        team: principal.team,
        createdBy: principal.name,
        dnsNames: names.dnsNames,
        ipAddresses: names.ipAddresses,
        namespace,
        secretName: name,
        lifetimeSeconds,
        renewBeforeSeconds,
        now,
      });
      if (row === undefined) {
        throw new CallerError('conflict', {
          detail: `Another delivery fills Secret ${namespace}/${name} already; end that one first, or take another name.`,
          errors: [{ pointer: '/secret', detail: 'is taken by another delivery' }],
        });
      }
      const delivery = toDelivery(row);
      await also?.(tx, delivery);
      const detail = {
        secret: request.secret,
        dnsNames: names.dnsNames,
        ipAddresses: names.ipAddresses,
        lifetimeSeconds,
        renewBeforeSeconds,
      };
      await appendAudit(tx, [
        { at: now, actor: principal.name, team: row.team, act: 'delivery.created', subject: row.id, detail },
      ]);
      tx.afterCommit(wake);
      return delivery;
    });
  }

  /** Ends a delivery; its Secret and certificate stay as they are. Throws CallerError `not-found`. */
  async end(scope: TeamScope, id: string, principal: Principal): Promise<void> {
    const { database, clock } = this.#parts;
    await database.transaction(async (tx) => {
      const row = await removeDelivery(tx, scope, id);
      if (row === undefined) throw new CallerError('not-found', { detail: `There is no delivery ${id}.` });
      const detail = { secret: { namespace: row.namespace, name: row.secret_name }, certificateId: row.certificate_id };
      await appendAudit(tx, [
        { at: clock.now(), actor: principal.name, team: row.team, act: 'delivery.ended', subject: row.id, detail },
      ]);
    });
  }

  #checkPlace({ namespace, name }: DeliveryRequest['secret']): void {
    const { available, namespaces } = this.#parts;
    if (!available) {
      throw new CallerError('delivery-unavailable', {
        detail:
          'Deliveries need a Kubernetes cluster, and this service was started without one. Set KUBECONFIG (or run it in a pod with a service account) and DELIVERY_NAMESPACES.',
      });
    }
    const errors = [
      ...(label.test(namespace) ? [] : [{ pointer: '/secret/namespace', detail: 'is no Kubernetes namespace name' }]),
      ...(subdomain.test(name) ? [] : [{ pointer: '/secret/name', detail: 'is no Kubernetes object name' }]),
    ];
    if (errors.length > 0) throw new CallerError('invalid-request', { errors });
    if (!namespaces.includes('*') && !namespaces.includes(namespace)) {
      const allowed = namespaces.length === 0 ? 'none; set DELIVERY_NAMESPACES' : namespaces.join(', ');
      throw notAllowed(`Namespace ${namespace} is not on the list of this service; allowed: ${allowed}.`);
    }
  }

  #checkTeamNamespace(allowed: readonly string[] | 'any', source: string, namespace: string): void {
    if (allowed === 'any' || allowed.includes(namespace)) return;
    const list = allowed.join(', ') || 'none';
    throw notAllowed(`The policy (${source}) does not allow namespace ${namespace}; allowed: ${list}.`);
  }
}

const notAllowed = (detail: string): CallerError =>
  new CallerError('delivery-not-allowed', {
    detail,
    errors: [{ pointer: '/secret/namespace', detail: 'is not allowed' }],
  });

/** A renewal must leave the new certificate some time before it is itself renewed. */
function checkRenewal(renewBeforeSeconds: number, lifetimeSeconds: number): void {
  const most = Math.floor(lifetimeSeconds * 0.8);
  if (renewBeforeSeconds <= most) return;
  throw new CallerError('invalid-request', {
    detail: `renewBeforeSeconds is ${renewBeforeSeconds}; at most ${most} (four fifths of the lifetime) make sense.`,
    errors: [{ pointer: '/renewBeforeSeconds', detail: `at most ${most} with a lifetime of ${lifetimeSeconds} s` }],
  });
}
