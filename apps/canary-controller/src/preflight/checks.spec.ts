import { aSpec } from '../release/release.builder.ts';
import { anIngress } from '../routing/ingress.builder.ts';
import { preflight, type PreflightInput, type Rival } from './checks.ts';

const sound = (changes: Partial<PreflightInput> = {}): PreflightInput => ({
  canary: { namespace: 'demo', name: 'shop', team: 'shop' },
  spec: aSpec(),
  ingress: anIngress(),
  stableService: { selector: { version: 'v1' }, ports: [{ name: 'http', port: 80 }] },
  canaryService: { selector: { version: 'v2' }, ports: [{ name: 'http', port: 80 }] },
  stableLabels: { app: 'shop', version: 'v1' },
  canaryLabels: { app: 'shop', version: 'v2' },
  nameTakenBy: undefined,
  rival: undefined,
  ...changes,
});

describe('pre-flight', () => {
  test('finds nothing wrong with a sound set-up', () => expect(preflight(sound())).toEqual([]));

  const same = aSpec({ canary: { deployment: 'shop-v1', service: 'shop-v2' } });
  const rival: Rival = { namespace: 'demo', name: 'rival', team: 'shop', state: { phase: 'Progressing' } };
  const ports = [{ name: 'http', port: 80 }];
  const cases: { check: string; input: Partial<PreflightInput>; says: string }[] = [
    { check: 'same-version', input: { spec: same }, says: 'spec.canary.deployment' },
    { check: 'ingress-missing', input: { ingress: undefined }, says: 'Ingress shop' },
    {
      check: 'route-missing',
      input: { spec: aSpec({ route: { ingress: 'shop', host: 'nowhere.example' } }) },
      says: 'nowhere.example',
    },
    { check: 'stable-backend', input: { ingress: anIngress('someone-else') }, says: 'Service someone-else' },
    { check: 'stable-backend', input: { ingress: anIngress(null) }, says: 'a backend that is no Service' },
    { check: 'route-taken', input: { rival }, says: 'Canary demo/rival is Progressing' },
    { check: 'route-taken', input: { rival: { ...rival, team: 'other' } }, says: 'a Canary of another team' },
    { check: 'ingress-name-taken', input: { nameTakenBy: 'shop-keelson' }, says: 'Ingress shop-keelson' },
    {
      check: 'missing-port',
      input: { canaryService: { selector: { version: 'v2' }, ports: [{ name: 'web', port: 8080 }] } },
      says: 'no port http, which Ingress shop uses; it has web',
    },
    {
      check: 'missing-port',
      input: { canaryService: { selector: { version: 'v2' }, ports: [] } },
      says: 'it has none',
    },
    {
      check: 'selector-matches-both',
      input: { stableService: { selector: { app: 'shop' }, ports } },
      says: 'Service shop-v1 also selects the pods of Deployment shop-v2',
    },
    {
      check: 'selector-matches-both',
      input: { canaryService: { selector: { app: 'shop' }, ports } },
      says: 'Service shop-v2 also selects the pods of Deployment shop-v1',
    },
    {
      check: 'selector-misses',
      input: { canaryService: { selector: { app: 'shop', version: 'v3' }, ports } },
      says: 'selects app=shop, version=v3',
    },
    { check: 'selector-misses', input: { canaryService: { selector: {}, ports } }, says: 'selects nothing' },
  ];
  test.each(cases)('finds $check and says $says', ({ check, input, says }) => {
    expect(preflight(sound(input))).toEqual([{ check, detail: expect.stringContaining(says) as string }]);
  });

  test('names every fault at once', () => {
    const found = preflight(sound({ rival, nameTakenBy: 'shop-keelson', ingress: anIngress('someone-else') }));
    expect(found.map(({ check }) => check)).toEqual(['stable-backend', 'route-taken', 'ingress-name-taken']);
  });

  test('what is not there yet is waited for, not refused', () => {
    const early = {
      canaryService: undefined,
      canaryLabels: undefined,
      stableService: undefined,
      stableLabels: undefined,
    };
    expect(preflight(sound(early))).toEqual([]);
  });
});
