import {
  resources,
  type Deployment,
  type Ingress,
  type Resource,
  type Secret,
  type Service,
} from '@keelson/kubernetes';

export const NAMESPACE = 'shop';
export const INGRESS = 'shop';
export const HOST = 'localhost';
export const TLS_SECRET = 'shop-tls';
const PORT = 8080;

/** An object with the collection it goes into. */
export interface Manifest<T = object> {
  readonly resource: Resource<T>;
  readonly object: T;
}

/** What tells one version of the api role from another. */
export interface Version {
  readonly version: string;
  /** Share of orders that it answers with 500, 0 to 1. */
  readonly errorRate?: number;
  /** It exits by itself after about so long, again and again. */
  readonly crashAfterSeconds?: number;
}

export interface OrderDemoOptions {
  /** argv of the program, its role is appended. */
  readonly program: readonly string[];
  readonly secrets: Readonly<Record<'DATABASE_URL' | 'AMQP_URL' | 'PAYMENT_TOKEN', string>> & {
    readonly AMQP_MANAGEMENT_URL?: string;
  };
  /** The payment provider. */
  readonly paymentUrl: string;
  /** File on this machine: a sandbox pod sees the machine's files. */
  readonly tokensFile: string;
}

/** The names of a version's Deployment and Service. */
export const versionName = (version: string): string => `order-demo-${version}`;

const meta = (name: string, labels: Record<string, string> = {}) => ({
  namespace: NAMESPACE,
  name,
  labels: { 'app.kubernetes.io/part-of': 'order-demo', ...labels },
});

/** The roles behind the queue; each is one Deployment, for every version. */
export const SHARED_ROLES = ['inventory', 'documents', 'coupons', 'notifications'] as const;

/** Namespace-wide things: credentials, the roles behind the queue, and the route to the first version. */
export function sharedManifests(options: OrderDemoOptions, firstVersion: string): Manifest[] {
  return [
    manifest<Secret>(resources.secrets, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: meta('order-demo'),
      type: 'Opaque',
      data: Object.fromEntries(
        Object.entries(options.secrets).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
      ),
    }),
    ...SHARED_ROLES.map((role) => deployment(options, `order-demo-${role}`, role, {})),
    manifest<Ingress>(resources.ingresses, {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: meta(INGRESS),
      spec: {
        ingressClassName: 'nginx',
        tls: [{ hosts: [HOST], secretName: TLS_SECRET }],
        rules: [
          {
            host: HOST,
            http: {
              paths: [
                {
                  path: '/',
                  pathType: 'Prefix',
                  backend: { service: { name: versionName(firstVersion), port: { name: 'http' } } },
                },
              ],
            },
          },
        ],
      },
    }),
  ];
}

/** One version of the api role: a Deployment and a Service of its own. */
export function versionManifests(
  options: OrderDemoOptions,
  { version, errorRate, crashAfterSeconds }: Version,
): Manifest[] {
  const name = versionName(version);
  return [
    deployment(options, name, 'api', {
      APP_VERSION: version,
      ...(errorRate === undefined ? {} : { INJECT_ERROR_RATE: String(errorRate) }),
      ...(crashAfterSeconds === undefined ? {} : { INJECT_CRASH_AFTER_SECONDS: String(crashAfterSeconds) }),
    }),
    manifest<Service>(resources.services, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: meta(name),
      spec: {
        selector: { app: name },
        ports: [{ name: 'http', port: 80, targetPort: 'http', protocol: 'TCP' }],
      },
    }),
  ];
}

function deployment(options: OrderDemoOptions, name: string, role: string, extra: Record<string, string>): Manifest {
  const fromSecret = (key: string) => ({ name: key, valueFrom: { secretKeyRef: { name: 'order-demo', key } } });
  const labels = { app: name, version: extra['APP_VERSION'] ?? 'v1', role };
  return manifest<Deployment>(resources.deployments, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: meta(name, labels),
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: {
          labels: { 'app.kubernetes.io/part-of': 'order-demo', ...labels },
          annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': String(PORT) },
        },
        spec: {
          terminationGracePeriodSeconds: 15,
          containers: [
            {
              name: role,
              image: 'keelson/order-demo',
              command: [...options.program, `--role=${role}`],
              ports: [{ name: 'http', containerPort: PORT, protocol: 'TCP' }],
              env: [
                { name: 'HOST', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
                { name: 'PORT', value: String(PORT) },
                { name: 'TOKENS_FILE', value: options.tokensFile },
                fromSecret('DATABASE_URL'),
                fromSecret('AMQP_URL'),
                ...(options.secrets.AMQP_MANAGEMENT_URL === undefined ? [] : [fromSecret('AMQP_MANAGEMENT_URL')]),
                fromSecret('PAYMENT_TOKEN'),
                { name: 'PAYMENT_URL', value: options.paymentUrl },
                ...Object.entries(extra).map(([key, value]) => ({ name: key, value })),
              ],
              startupProbe: {
                httpGet: { path: '/healthz', port: 'http' as never, scheme: 'HTTP' },
                periodSeconds: 1,
                failureThreshold: 60,
              },
              readinessProbe: {
                httpGet: { path: '/readyz', port: 'http' as never, scheme: 'HTTP' },
                periodSeconds: 1,
                timeoutSeconds: 3,
                failureThreshold: 5,
              },
              livenessProbe: {
                httpGet: { path: '/healthz', port: 'http' as never, scheme: 'HTTP' },
                periodSeconds: 5,
                timeoutSeconds: 5,
                failureThreshold: 3,
              },
            },
          ],
        },
      },
    },
  });
}

const manifest = <T extends object>(resource: Resource<T>, object: T): Manifest => ({
  resource: resource,
  object,
});
