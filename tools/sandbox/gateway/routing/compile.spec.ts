import type { Ingress, PathType } from '../kubernetes-objects.ts';
import { compile } from './compile.ts';
import { findLocation, findServer, type RoutingTable } from './table.ts';

const PREFIX = 'nginx.ingress.kubernetes.io/';
type Path = { path?: string; type?: PathType; service: string };

const anIngress = (
  name: string,
  options: {
    hosts?: Record<string, Path[]>;
    annotations?: Record<string, string>;
    created?: string;
    defaultService?: string;
    tls?: { hosts?: string[]; secretName?: string }[];
    className?: string | null;
  },
): Ingress => ({
  metadata: {
    name,
    namespace: 'shop',
    creationTimestamp: options.created ?? '2026-01-01T00:00:00Z',
    annotations: Object.fromEntries(
      Object.entries(options.annotations ?? {}).map(([k, v]) => [k.includes('/') ? k : PREFIX + k, v]),
    ),
  },
  spec: {
    ...(options.className !== null && { ingressClassName: options.className ?? 'nginx' }),
    ...(options.defaultService && {
      defaultBackend: { service: { name: options.defaultService, port: { number: 80 } } },
    }),
    ...(options.tls && { tls: options.tls }),
    rules: Object.entries(options.hosts ?? {}).map(([host, paths]) => ({
      ...(host !== '' && { host }),
      http: {
        paths: paths.map(({ path, type, service }) => ({
          path: path ?? '/',
          pathType: type ?? 'Prefix',
          backend: { service: { name: service, port: { number: 80 } } },
        })),
      },
    })),
  },
});
const route = (table: RoutingTable, host: string, path: string): string | undefined =>
  findLocation(findServer(table, host), path)?.backend?.service;

describe('routing by Ingress', () => {
  test('only Ingresses of the class count, by field or by the old annotation', () => {
    const { table } = compile(
      [
        anIngress('a', { hosts: { 'a.test': [{ service: 'a' }] } }),
        anIngress('b', { hosts: { 'b.test': [{ service: 'b' }] }, className: 'other' }),
        anIngress('c', { hosts: { 'c.test': [{ service: 'c' }] }, className: null }),
        anIngress('d', {
          hosts: { 'd.test': [{ service: 'd' }] },
          className: null,
          annotations: { 'kubernetes.io/ingress.class': 'nginx' },
        }),
      ],
      'nginx',
    );
    expect(['a.test', 'b.test', 'c.test', 'd.test'].map((host) => route(table, host, '/'))).toEqual([
      'a',
      undefined,
      undefined,
      'd',
    ]);
  });

  test('an exact host wins over a wildcard, a wildcard stands for one label, and no host takes the rest', () => {
    const { table } = compile(
      [
        anIngress('a', {
          hosts: {
            'www.shop.test': [{ service: 'exact' }],
            '*.shop.test': [{ service: 'wildcard' }],
            '': [{ service: 'any' }],
          },
        }),
      ],
      'nginx',
    );
    const hosts = ['www.shop.test', 'api.shop.test', 'a.b.shop.test', 'shop.test', 'other.test'];
    expect(hosts.map((host) => route(table, host, '/'))).toEqual(['exact', 'wildcard', 'any', 'any', 'any']);
  });

  test('a host that is known never falls back to the rules of all hosts', () => {
    const { table } = compile(
      [anIngress('a', { hosts: { 'a.test': [{ path: '/x', service: 'x' }], '': [{ service: 'any' }] } })],
      'nginx',
    );
    expect(route(table, 'a.test', '/y')).toBeUndefined();
    expect(route(table, 'b.test', '/y')).toBe('any');
  });

  test('the default backend takes what no path takes', () => {
    const { table } = compile(
      [anIngress('a', { hosts: { 'a.test': [{ path: '/x', service: 'x' }] }, defaultService: 'rest' })],
      'nginx',
    );
    expect(route(table, 'a.test', '/x/1')).toBe('x');
    expect(route(table, 'a.test', '/y')).toBe('rest');
    expect(route(table, 'b.test', '/y')).toBeUndefined();
    const alone = compile([anIngress('b', { defaultService: 'all' })], 'nginx').table;
    expect(route(alone, 'any.test', '/')).toBe('all');
  });

  test('of two claims on one path the older wins, and the younger is told', () => {
    const { table, faults } = compile(
      [
        anIngress('young', { hosts: { 'a.test': [{ service: 'young' }] }, created: '2026-02-01T00:00:00Z' }),
        anIngress('old', { hosts: { 'a.test': [{ service: 'old' }] } }),
      ],
      'nginx',
    );
    expect(route(table, 'a.test', '/')).toBe('old');
    expect(faults).toMatchObject([{ ingress: { metadata: { name: 'young' } }, reason: 'PathTaken' }]);
  });

  test('TLS is set for the hosts that name it', () => {
    const { table } = compile(
      [
        anIngress('a', {
          hosts: { 'a.test': [{ service: 'a' }], 'b.test': [{ service: 'b' }] },
          tls: [{ hosts: ['a.test'], secretName: 'cert' }],
        }),
        anIngress('c', { hosts: { 'c.test': [{ service: 'c' }] }, tls: [{}] }),
      ],
      'nginx',
    );
    expect(findServer(table, 'a.test').tls).toEqual({ secret: 'shop/cert' });
    expect(findServer(table, 'b.test').tls).toBeUndefined();
    expect(findServer(table, 'c.test').tls).toEqual({ secret: undefined });
  });
});

describe('canary Ingresses', () => {
  const primary = anIngress('primary', { hosts: { 'a.test': [{ service: 'stable' }] } });
  const canary = (name: string, service: string, over: Parameters<typeof anIngress>[1] = {}): Ingress =>
    anIngress(name, {
      hosts: { 'a.test': [{ service }] },
      created: '2026-02-01T00:00:00Z',
      ...over,
      annotations: { canary: 'true', 'canary-weight': '20', ...over.annotations },
    });
  const alternatives = (table: RoutingTable): string[] | undefined =>
    findLocation(findServer(table, 'a.test'), '/')?.backend?.alternatives;

  test('are merged into the backend of the same host and path', () => {
    const { table, faults } = compile([canary('c', 'next'), primary], 'nginx');
    expect(alternatives(table)).toEqual(['shop-next-80']);
    expect(table.backends.get('shop-next-80')?.policy).toMatchObject({ weight: 20, weightTotal: 100 });
    expect(faults).toEqual([]);
  });

  test('a second one is not used, and is told', () => {
    const { table, faults } = compile([primary, canary('c1', 'next'), canary('c2', 'other')], 'nginx');
    expect(alternatives(table)?.[0]).toBe('shop-next-80');
    expect(faults).toMatchObject([{ ingress: { metadata: { name: 'c2' } }, reason: 'CanaryIgnored' }]);
  });

  test.each<[string, Ingress]>([
    ['another path', canary('c', 'next', { hosts: { 'a.test': [{ path: '/x', service: 'next' }] } })],
    ['another path type', canary('c', 'next', { hosts: { 'a.test': [{ type: 'Exact', service: 'next' }] } })],
    ['another host', canary('c', 'next', { hosts: { 'b.test': [{ service: 'next' }] } })],
    ['the same Service', canary('c', 'stable')],
  ])('with %s have no effect, and that is told', (_, ingress) => {
    const { table, faults } = compile([primary, ingress], 'nginx');
    expect(alternatives(table)).toEqual([]);
    expect(faults).toMatchObject([{ reason: 'CanaryIgnored' }]);
  });

  test('without canary: "true" the annotations mean nothing', () => {
    const ingress = canary('c', 'next', { annotations: { canary: 'false' } });
    const { table } = compile([primary, ingress], 'nginx');
    expect(alternatives(table)).toEqual([]);
  });

  test('never serve a host alone', () => {
    const { table } = compile([canary('c', 'next')], 'nginx');
    expect(route(table, 'a.test', '/')).toBeUndefined();
  });

  test('an annotation that makes no sense, or is unknown, is told by name and value', () => {
    const { faults } = compile(
      [canary('c', 'next', { annotations: { 'canary-weight': 'much', 'rewrite-target': '/' } }), primary],
      'nginx',
    );
    expect(faults.map((fault) => fault.message)).toEqual([
      'nginx.ingress.kubernetes.io/canary-weight is "much"; allowed is a whole number from 0',
      "nginx.ingress.kubernetes.io/rewrite-target is not supported by the sandbox's gateway and has no effect",
    ]);
  });
});
