import { resources, type EndpointSlice, type Ingress, type KubernetesClient } from '@keelson/kubernetes';
import type { WebServer } from './web-server.ts';

type Conditions = { ready?: boolean; serving?: boolean; terminating?: boolean };
type IngressSpec = NonNullable<Ingress['spec']>;

/** Services, EndpointSlices and Ingresses of one namespace. The Services have no selector: the slices are ours. */
export class Routes {
  readonly client: KubernetesClient;
  readonly namespace: string;

  constructor(client: KubernetesClient, namespace: string) {
    this.client = client;
    this.namespace = namespace;
  }

  async service(name: string, ...servers: WebServer[]): Promise<void> {
    await this.client.create(
      resources.services,
      { metadata: { name }, spec: { ports: [{ name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' }] } },
      { namespace: this.namespace },
    );
    await this.client.create(
      resources.endpointSlices,
      this.#slice(
        name,
        servers.map((server) => [server]),
      ),
      {
        namespace: this.namespace,
      },
    );
  }

  /** Replaces the endpoints; returns the slice's new version. */
  async endpoints(service: string, ...servers: (WebServer | [WebServer, Conditions])[]): Promise<string> {
    const pairs = servers.map((server): [WebServer, Conditions?] => (Array.isArray(server) ? server : [server]));
    const slice = await this.client.patch(
      resources.endpointSlices,
      { endpoints: this.#slice(service, pairs).endpoints },
      {
        namespace: this.namespace,
        name: `${service}-1`,
      },
    );
    return slice.metadata?.resourceVersion ?? '';
  }

  ingress(
    name: string,
    host: string,
    service: string,
    options: { path?: string; pathType?: string; annotations?: Record<string, string>; tls?: IngressSpec['tls'] } = {},
  ): Promise<Ingress> {
    const annotations = Object.entries(options.annotations ?? {}).map(([key, value]) => [
      `nginx.ingress.kubernetes.io/${key}`,
      value,
    ]);
    return this.client.create(
      resources.ingresses,
      {
        metadata: { name, annotations: Object.fromEntries(annotations) as Record<string, string> },
        spec: {
          ingressClassName: 'nginx',
          ...(options.tls && { tls: options.tls }),
          rules: [
            {
              host,
              http: {
                paths: [
                  {
                    path: options.path ?? '/',
                    pathType: options.pathType ?? 'Prefix',
                    backend: { service: { name: service, port: { number: 80 } } },
                  },
                ],
              },
            },
          ],
        },
      },
      { namespace: this.namespace },
    );
  }

  annotate(name: string, annotations: Record<string, string | null>): Promise<unknown> {
    const entries = Object.entries(annotations).map(([key, value]) => [`nginx.ingress.kubernetes.io/${key}`, value]);
    return this.client.patch(
      resources.ingresses,
      { metadata: { annotations: Object.fromEntries(entries) as object } },
      { namespace: this.namespace, name },
    );
  }

  #slice(service: string, servers: [WebServer, Conditions?][]): EndpointSlice {
    return {
      metadata: {
        name: `${service}-1`,
        labels: { 'kubernetes.io/service-name': service, 'endpointslice.kubernetes.io/managed-by': 'test' },
      },
      addressType: 'IPv4',
      ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
      endpoints: servers.map(([server, conditions]) => ({
        addresses: [server.address],
        conditions: conditions ?? { ready: true, serving: true, terminating: false },
      })),
    };
  }
}
