import { aSpec } from '../release/release.builder.ts';
import {
  canaryIngress,
  isCanaryIngress,
  locateRoute,
  says,
  switchedIngress,
  weightOf,
  type Ingress,
} from './ingress-nginx.ts';
import { anIngress } from './ingress.builder.ts';

const canary = { name: 'shop', namespace: 'demo', uid: 'u-1', apiVersion: 'keelson.dev/v1alpha1' };
const spec = aSpec({ match: { header: { name: 'X-Canary', value: 'yes' }, cookie: 'beta' } });
const make = (changes: { spec?: typeof spec; stable?: Ingress; weight?: number } = {}): Ingress => {
  const { spec: wanted = spec, stable = anIngress(), weight = 25 } = changes;
  return canaryIngress(canary, wanted, stable, locateRoute(stable, wanted.route)!, weight);
};

describe('the canary Ingress', () => {
  test('repeats host, path, class and port, and differs in Service and annotations', () => {
    expect(make().spec).toEqual({
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
    expect(make().metadata.annotations).toEqual({
      'nginx.ingress.kubernetes.io/canary': 'true',
      'nginx.ingress.kubernetes.io/canary-weight': '25',
      'nginx.ingress.kubernetes.io/canary-by-header': 'X-Canary',
      'nginx.ingress.kubernetes.io/canary-by-header-value': 'yes',
      'nginx.ingress.kubernetes.io/canary-by-cookie': 'beta',
    });
    expect(weightOf(make())).toBe(25);
  });

  test('a header may match by pattern, or with always and never alone', () => {
    const annotations = (header: object) => make({ spec: aSpec({ match: { header } }) }).metadata.annotations!;
    expect(annotations({ name: 'X-Canary', pattern: 'beta-.*' })).toMatchObject({
      'nginx.ingress.kubernetes.io/canary-by-header-pattern': 'beta-.*',
    });
    expect(Object.keys(annotations({ name: 'X-Canary' }))).toHaveLength(3);
  });

  test('is of the same class where that is an annotation', () => {
    const stable = anIngress('shop-v1', { 'kubernetes.io/ingress.class': 'edge' });
    delete stable.spec.ingressClassName;
    const made = make({ stable });
    expect(made.metadata.annotations).toMatchObject({ 'kubernetes.io/ingress.class': 'edge' });
    expect(made.spec.ingressClassName).toBeUndefined();
  });

  test('goes away with its Canary', () => {
    expect(make().metadata.ownerReferences).toEqual([
      { apiVersion: 'keelson.dev/v1alpha1', kind: 'Canary', name: 'shop', uid: 'u-1', controller: true },
    ]);
  });

  test('is told from one of the same name that somebody else made', () => {
    expect(isCanaryIngress(make(), { name: 'shop' })).toBe(true);
    expect(isCanaryIngress(make(), { name: 'other' })).toBe(false);
    expect(isCanaryIngress({ ...anIngress(), metadata: { name: 'shop-keelson', namespace: 'demo' } }, canary)).toBe(
      false,
    );
  });

  const edits: { name: string; edit: (ingress: Ingress) => void; same: boolean }[] = [
    { name: 'nothing', edit: () => undefined, same: true },
    {
      name: 'an annotation of somebody else',
      edit: (ingress) => (ingress.metadata.annotations!['example.com/note'] = 'hello'),
      same: true,
    },
    {
      name: 'the weight',
      edit: (ingress) => (ingress.metadata.annotations!['nginx.ingress.kubernetes.io/canary-weight'] = '90'),
      same: false,
    },
    {
      name: 'the cookie',
      edit: (ingress) => delete ingress.metadata.annotations!['nginx.ingress.kubernetes.io/canary-by-cookie'],
      same: false,
    },
    { name: 'the class', edit: (ingress) => (ingress.spec.ingressClassName = 'other'), same: false },
    {
      name: 'the Service',
      edit: (ingress) => (ingress.spec.rules![0]!.http!.paths[0]!.backend.service!.name = 'shop-v9'),
      same: false,
    },
    { name: 'the owner', edit: (ingress) => (ingress.metadata.ownerReferences![0]!.uid = 'u-0'), same: false },
  ];
  test.each(edits)('$name changed by hand: as wanted is $same', ({ edit, same }) => {
    const present = make();
    edit(present);
    expect(says(make(), present)).toBe(same);
  });
});

test('the switch says all rules as they were read, with one Service changed, and for that very version', () => {
  const stable = anIngress();
  const switched = switchedIngress(stable, locateRoute(stable, spec.route)!, 'shop-v2');
  expect(switched).toEqual({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'shop', namespace: 'demo', resourceVersion: '7' },
    spec: { rules: anIngress('shop-v2').spec.rules },
  });
  expect(stable).toEqual(anIngress());
});
