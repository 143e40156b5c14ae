import { aSpec } from '../release/release.builder.ts';
import { canaryIngress, locateRoute, switchBackendPatch, weightOf, type Ingress } from '../routing/ingress-nginx.ts';
import { preflight, type PreflightInput } from './checks.ts';

const ingress = (service = 'shop-v1'): Ingress => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name: 'shop', namespace: 'demo' },
  spec: {
    ingressClassName: 'nginx',
    rules: [
      { host: 'other.example', http: { paths: [] } },
      {
        host: 'shop.example',
        http: {
          paths: [
            { path: '/static', pathType: 'Prefix', backend: { service: { name: 'files', port: { number: 80 } } } },
            { path: '/', pathType: 'Prefix', backend: { service: { name: service, port: { name: 'http' } } } },
          ],
        },
      },
    ],
  },
});

const sound = (changes: Partial<PreflightInput> = {}): PreflightInput => ({
  canary: { namespace: 'demo', name: 'shop' },
  spec: aSpec(),
  ingress: ingress(),
  stableService: { selector: { version: 'v1' }, ports: [{ name: 'http', port: 80 }] },
  canaryService: { selector: { version: 'v2' }, ports: [{ name: 'http', port: 80 }] },
  stableLabels: { app: 'shop', version: 'v1' },
  canaryLabels: { app: 'shop', version: 'v2' },
  others: [],
  ...changes,
});

describe('pre-flight', () => {
  test('finds nothing wrong with a sound set-up', () => expect(preflight(sound())).toEqual([]));

  const same = aSpec({ canary: { deployment: 'shop-v1', service: 'shop-v2' } });
  const rival = { name: 'rival', spec: aSpec(), state: { phase: 'Progressing' } } as const;
  const cases = [
    { check: 'same-version', input: sound({ spec: same }) },
    { check: 'ingress-missing', input: sound({ ingress: undefined }) },
    { check: 'route-missing', input: sound({ spec: aSpec({ route: { ingress: 'shop', host: 'nowhere.example' } }) }) },
    { check: 'stable-backend', input: sound({ ingress: ingress('someone-else') }) },
    { check: 'route-taken', input: sound({ others: [rival] }) },
    {
      check: 'missing-port',
      input: sound({ canaryService: { selector: { version: 'v2' }, ports: [{ name: 'web', port: 8080 }] } }),
    },
    { check: 'selector-matches-both', input: sound({ stableService: { selector: { app: 'shop' }, ports: [] } }) },
  ];
  test.each(cases)('finds $check', ({ check, input }) => {
    expect(preflight(input).map((finding) => finding.check)).toContain(check);
  });

  test('a rival that is over does not hold the route', () => {
    const over = { ...rival, state: { phase: 'RolledBack' } } as const;
    expect(preflight(sound({ others: [over] }))).toEqual([]);
  });
});

describe('the canary Ingress', () => {
  const spec = aSpec({ match: { header: { name: 'X-Canary', value: 'yes' }, cookie: 'beta' } });
  const location = locateRoute(ingress(), spec.route)!;
  const made = canaryIngress(
    { name: 'shop', namespace: 'demo', uid: 'u-1', apiVersion: 'keelson.dev/v1alpha1' },
    spec,
    ingress(),
    location,
    25,
  );

  test('repeats host, path, class and port, and differs in Service and annotations', () => {
    expect(made.spec).toEqual({
      ingressClassName: 'nginx',
      rules: [
        {
          host: 'shop.example',
          http: {
            paths: [
              { path: '/', pathType: 'Prefix', backend: { service: { name: 'shop-v2', port: { name: 'http' } } } },
            ],
          },
        },
      ],
    });
    expect(made.metadata.annotations).toEqual({
      'nginx.ingress.kubernetes.io/canary': 'true',
      'nginx.ingress.kubernetes.io/canary-weight': '25',
      'nginx.ingress.kubernetes.io/canary-by-header': 'X-Canary',
      'nginx.ingress.kubernetes.io/canary-by-header-value': 'yes',
      'nginx.ingress.kubernetes.io/canary-by-cookie': 'beta',
    });
    expect(weightOf(made)).toBe(25);
  });

  test('goes away with its Canary', () => {
    expect(made.metadata.ownerReferences).toEqual([
      { apiVersion: 'keelson.dev/v1alpha1', kind: 'Canary', name: 'shop', uid: 'u-1', controller: true },
    ]);
  });

  test('the switch of the backend refuses to overwrite another change', () => {
    expect(switchBackendPatch(location, 'shop-v1', 'shop-v2')).toEqual([
      { op: 'test', path: '/spec/rules/1/http/paths/1/backend/service/name', value: 'shop-v1' },
      { op: 'replace', path: '/spec/rules/1/http/paths/1/backend/service/name', value: 'shop-v2' },
    ]);
  });
});
