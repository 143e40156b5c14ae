import {
  canariesApi,
  createClient,
  type Canary,
  type CanarySpec,
  type Client,
  type Decision,
} from '@keelson/contracts';
import { isNotFound, resources, type CanaryResource } from '@keelson/kubernetes';
import { eventually } from '@keelson/testing';
import { aSpec } from '../../src/release/release.builder.ts';
import type { Place } from './place.ts';

/** What a version's pod does: nothing, answer requests (some of them 500), or end again and again while it answers. */
export type Pods = { kind: 'idle' } | { kind: 'server'; failEvery?: number; crashAfterMs?: number };

const SERVER = `
  const { VERSION, HOST, FAIL_EVERY, CRASH_AFTER_MS } = process.env;
  let count = 0;
  require('node:http').createServer((request, response) => {
    const failed = request.url !== '/healthz' && Number(FAIL_EVERY) > 0 && ++count % Number(FAIL_EVERY) === 0;
    response.writeHead(failed ? 500 : 200).end(VERSION);
  }).listen(8080, HOST);
  if (Number(CRASH_AFTER_MS) > 0) setTimeout(() => process.exit(1), Number(CRASH_AFTER_MS));
`;

/** A client that does not repeat what it asks: tests want to see each answer. */
export const clientOf = (url: string, token = 'shop-token'): Client<typeof canariesApi> =>
  createClient(canariesApi, { baseUrl: url, token, retry: { attempts: 1 } });

/** A namespace with the versions of a service behind an Ingress of its own host. */
export class Shop {
  readonly place: Place;
  readonly namespace: string;
  readonly name = 'shop';

  private constructor(place: Place, namespace: string) {
    this.place = place;
    this.namespace = namespace;
  }

  /** With version 1 behind the Ingress, and version 2 ready beside it. */
  static async open(place: Place, second: Pods = { kind: 'idle' }): Promise<Shop> {
    const shop = new Shop(place, await place.cluster.namespace());
    const first: Pods = second.kind === 'idle' ? second : { kind: 'server' };
    await Promise.all([shop.version('shop-v1', first), shop.version('shop-v2', second), shop.ingress('shop-v1')]);
    return shop;
  }

  get host(): string {
    return `${this.namespace}.example`;
  }

  get at(): { namespace: string; name: string } {
    return { namespace: this.namespace, name: this.name };
  }

  /** Two steps of a second each, looked at every second. */
  spec(changes: Record<string, unknown> = {}): CanarySpec {
    return aSpec({
      route: { ingress: 'shop', host: this.host, path: '/' },
      steps: [
        { weight: 20, holdSeconds: 1 },
        { weight: 60, holdSeconds: 1 },
      ],
      analysis: {
        intervalSeconds: 1,
        successRate: { min: 0.95, minSample: 20 },
        failureLimit: 2,
        inconclusiveLimitSeconds: 600,
      },
      ...changes,
    });
  }

  /** One step that is held for longer than any test takes. */
  long(weight = 30): CanarySpec {
    return this.spec({ steps: [{ weight, holdSeconds: 600 }] });
  }

  resource(spec: object, name = this.name): CanaryResource {
    return {
      apiVersion: 'keelson.dev/v1alpha1',
      kind: 'Canary',
      metadata: { namespace: this.namespace, name, labels: { 'keelson.dev/team': 'shop' } },
      spec,
    } as CanaryResource;
  }

  /**
   * Waits until the Canary is in one of these phases, while requests reach the new version as told. The controller may be
   * away for a moment.
   */
  async until(
    client: Client<typeof canariesApi>,
    phases: readonly Canary['phase'][],
    traffic: { ok: number; failed?: number } = { ok: 10 },
    service = 'shop-v2',
  ): Promise<Canary> {
    let seen: unknown;
    return eventually(
      async () => {
        if (traffic.ok > 0) this.place.figures.add({ ...this.at, service }, traffic.ok, traffic.failed ?? 0);
        const canary = await client.getCanary({ params: this.at }).catch((error: unknown) => void (seen = error));
        if (canary) seen = `${canary.phase}: ${canary.reason}`;
        return canary && phases.includes(canary.phase) ? canary : undefined;
      },
      { withinMs: 90_000, everyMs: 100, describe: `phase ${phases.join(' or ')}` },
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}; last seen: ${String(seen)}`, { cause: error });
    });
  }

  /** Every decision, oldest first. */
  async decisions(client: Client<typeof canariesApi>): Promise<Decision[]> {
    const { items } = await client.listDecisions({ params: this.at, query: { limit: 500 } });
    return items.toReversed();
  }

  async acts(client: Client<typeof canariesApi>): Promise<string[]> {
    return (await this.decisions(client)).map(({ act }) => act);
  }

  /** Service that the user's own Ingress points to. */
  async backend(): Promise<string | undefined> {
    const ingress = await this.place.client.get(resources.ingresses, { namespace: this.namespace, name: 'shop' });
    return ingress.spec?.rules?.[0]?.http?.paths[0]?.backend.service?.name;
  }

  /** Weight of the canary Ingress; undefined where there is none. */
  async weight(name = `${this.name}-keelson`): Promise<string | undefined> {
    try {
      const { metadata } = await this.place.client.get(resources.ingresses, { namespace: this.namespace, name });
      return metadata?.annotations?.['nginx.ingress.kubernetes.io/canary-weight'];
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async untilWeight(weight: string | undefined): Promise<void> {
    await eventually(async () => (await this.weight()) === weight, {
      withinMs: 60_000,
      describe: `canary weight ${weight}`,
    });
  }

  /** A Deployment and its Service. */
  async version(name: string, pods: Pods, labels: Record<string, string> = { app: name }): Promise<void> {
    const { namespace, place } = this;
    await place.client.create(
      resources.deployments,
      {
        metadata: { namespace, name },
        spec: {
          replicas: 1,
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: { terminationGracePeriodSeconds: 1, containers: [container(name, pods)] },
          },
        },
      },
      { namespace },
    );
    await place.client.create(
      resources.services,
      {
        metadata: { namespace, name },
        spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
      },
      { namespace },
    );
  }

  /** The user's own Ingress, to the given Service. */
  async ingress(service: string, name = 'shop'): Promise<void> {
    const backend = { service: { name: service, port: { name: 'http' } } };
    const http = { paths: [{ path: '/', pathType: 'Prefix', backend }] };
    await this.place.client.create(
      resources.ingresses,
      {
        metadata: { namespace: this.namespace, name },
        spec: { ingressClassName: 'nginx', rules: [{ host: this.host, http }] },
      },
      { namespace: this.namespace },
    );
  }
}

function container(version: string, pods: Pods) {
  if (pods.kind === 'idle') return { name: 'main', image: 'none', command: ['sleep', '3600'] };
  return {
    name: 'main',
    image: 'none',
    command: [process.execPath, '-e', SERVER],
    env: [
      { name: 'HOST', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'VERSION', value: version },
      { name: 'FAIL_EVERY', value: String(pods.failEvery ?? 0) },
      { name: 'CRASH_AFTER_MS', value: String(pods.crashAfterMs ?? 0) },
    ],
    readinessProbe: { httpGet: { path: '/healthz', port: 8080 as never }, periodSeconds: 1 },
  };
}
