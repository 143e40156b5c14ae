import { normaliseNames } from './names.ts';
import { checkPolicy, policyRules, type Policy, type PolicyRequest } from './policy.ts';
import { Policies } from './policy-file.ts';

const file = `
teams:
  shop:
    dns:
      exact: [shop.example, '*.cdn.example']
      suffixes: [.Shop.Example, bücher.example]
    ip: [10.0.0.0/8, 'fd00::/8']
    uri: ['spiffe://shop/']
    subject: { attributes: [CN, O], freeCommonName: false }
    profiles: [server]
    keyTypes: [EC-P256, Ed25519]
    deliveryNamespaces: [shop]
    lifetime: { defaultSeconds: 3600, minSeconds: 600, maxSeconds: 86400 }
  free: {}
`;
const shop = Policies.fromText(file, 'policy.yaml').for('shop')!;

const aRequest = (
  names: { dns?: string[]; ip?: string[]; uri?: string[]; cn?: string; more?: [string, string][] },
  rest: Partial<PolicyRequest> = {},
): PolicyRequest => ({
  names: normaliseNames({
    subject: [...(names.cn === undefined ? [] : [['CN', names.cn] as const]), ...(names.more ?? [])].map(
      ([type, value]) => [{ type, value }],
    ),
    dnsNames: names.dns ?? [],
    ipAddresses: names.ip ?? [],
    uris: names.uri ?? [],
  }).names,
  profile: 'server',
  keyType: 'EC-P256',
  lifetimeSeconds: undefined,
  asksForCa: false,
  unknownCritical: [],
  ...rest,
});

const failing = (policy: Policy, request: PolicyRequest): string[] =>
  checkPolicy(policy, request).map(({ rule }) => rule);

describe('policy', () => {
  test.each([
    { name: 'an exact name', request: aRequest({ dns: ['shop.example'] }), fails: [] },
    { name: 'an exact wildcard', request: aRequest({ dns: ['*.cdn.example'] }), fails: [] },
    { name: 'a name below a suffix', request: aRequest({ dns: ['a.b.shop.example'] }), fails: [] },
    { name: 'a name below a suffix written in Unicode', request: aRequest({ dns: ['a.bücher.example'] }), fails: [] },
    { name: 'the suffix itself', request: aRequest({ dns: ['bücher.example'] }), fails: ['dns-name'] },
    {
      name: 'a name that only ends like a suffix',
      request: aRequest({ dns: ['evilshop.example'] }),
      fails: ['dns-name'],
    },
    {
      name: 'a name below an exact one of another suffix',
      request: aRequest({ dns: ['x.cdn.example'] }),
      fails: ['dns-name'],
    },
    { name: 'a wildcard below a suffix', request: aRequest({ dns: ['*.a.shop.example'] }), fails: ['wildcard'] },
    { name: 'a wildcard above the suffix', request: aRequest({ dns: ['*.example'] }), fails: ['dns-name', 'wildcard'] },
    { name: 'an address in a range', request: aRequest({ ip: ['10.200.3.4', 'FD00::1'] }), fails: [] },
    { name: 'an address outside', request: aRequest({ ip: ['11.0.0.1', '::1'] }), fails: ['ip-address', 'ip-address'] },
    { name: 'a URI with the prefix', request: aRequest({ uri: ['SPIFFE://shop/api'] }), fails: [] },
    { name: 'another URI', request: aRequest({ uri: ['spiffe://shopping/api'] }), fails: ['uri'] },
    { name: 'no name at all', request: aRequest({}), fails: ['has-a-name'] },
    { name: 'a common name that is a host joins the names', request: aRequest({ cn: 'a.shop.example' }), fails: [] },
    {
      name: 'a common name that is no host',
      request: aRequest({ cn: 'Shop', dns: ['shop.example'] }),
      fails: ['subject'],
    },
    {
      name: 'a common name that is not allowed as host',
      request: aRequest({ cn: 'bank.example', dns: ['shop.example'] }),
      fails: ['dns-name'],
    },
    {
      name: 'another attribute',
      request: aRequest({ dns: ['shop.example'], more: [['OU', 'x']] }),
      fails: ['subject'],
    },
    {
      name: 'an attribute of unknown type',
      request: aRequest({ dns: ['shop.example'], more: [['1.2.3', 'x']] }),
      fails: ['subject'],
    },
    {
      name: 'another profile',
      request: aRequest({ dns: ['shop.example'] }, { profile: 'client' }),
      fails: ['profile'],
    },
    {
      name: 'another key type',
      request: aRequest({ dns: ['shop.example'] }, { keyType: 'RSA-2048' }),
      fails: ['key-type'],
    },
    {
      name: 'the longest lifetime',
      request: aRequest({ dns: ['shop.example'] }, { lifetimeSeconds: 86400 }),
      fails: [],
    },
    {
      name: 'a second more',
      request: aRequest({ dns: ['shop.example'] }, { lifetimeSeconds: 86401 }),
      fails: ['lifetime'],
    },
    {
      name: 'a second less than the shortest',
      request: aRequest({ dns: ['shop.example'] }, { lifetimeSeconds: 599 }),
      fails: ['lifetime'],
    },
    { name: 'a CA', request: aRequest({ dns: ['shop.example'] }, { asksForCa: true }), fails: ['not-a-ca'] },
    {
      name: 'an unknown critical extension',
      request: aRequest({ dns: ['shop.example'] }, { unknownCritical: ['1.2.3'] }),
      fails: ['known-extensions'],
    },
  ])('$name: $fails', ({ request, fails }) => {
    expect(failing(shop, request)).toEqual(fails);
  });

  test('every rule that fails is named, with the value and what is allowed', () => {
    const request = aRequest({ dns: ['bank.example'], ip: ['8.8.8.8'] }, { keyType: 'RSA-2048', lifetimeSeconds: 1 });
    expect(checkPolicy(shop, request)).toEqual([
      { rule: 'key-type', pointer: '/csr', detail: 'key type RSA-2048 is not allowed; allowed: EC-P256, Ed25519' },
      {
        rule: 'lifetime',
        pointer: '/lifetimeSeconds',
        detail: 'lifetime of 1 s is not allowed; allowed: 600 to 86400 s',
      },
      {
        rule: 'dns-name',
        pointer: '/csr',
        detail:
          'DNS name bank.example is not allowed; allowed: shop.example, *.cdn.example, *.shop.example, *.xn--bcher-kva.example',
      },
      {
        rule: 'ip-address',
        pointer: '/csr',
        detail: 'IP address 8.8.8.8 is not allowed; allowed: 10.0.0.0/8, fd00::/8',
      },
    ]);
    expect(policyRules).toContain('dns-name');
  });

  test('a client may be known by its common name alone', () => {
    const free = Policies.stated().for('any')!;
    expect(failing(free, aRequest({ cn: 'robot' }, { profile: 'client' }))).toEqual([]);
    expect(failing(free, aRequest({ cn: 'robot' }, { profile: 'server' }))).toEqual(['has-a-name']);
    expect(failing(free, aRequest({ cn: 'a.example', more: [['C', 'de']] }))).toEqual(['subject']);
  });
});

describe('the policy file', () => {
  test('a team without an entry gets the default, or nothing where there is none', () => {
    expect(Policies.fromText(file, 'f').for('unknown')).toBeUndefined();
    expect(Policies.fromText('default: { profiles: [client] }', 'f').for('x')?.profiles).toEqual(new Set(['client']));
    expect(Policies.fromText('', 'f').for('x')).toBeUndefined();
    expect(Policies.stated().for('x')?.source).toBe('the built-in default');
  });

  test('lifetimes that are left out follow from those that are given', () => {
    const { lifetime } = Policies.fromText('default: { lifetime: { maxSeconds: 3600 } }', 'f').for('x')!;
    expect(lifetime).toEqual({ minSeconds: 60, maxSeconds: 3600, defaultSeconds: 3600 });
  });

  test('every fault is listed with its place', () => {
    const broken = `
default: { dns: { exact: ['a..b'], suffixes: ['*.x'], wildcard: true }, ip: [10.0.0.1/8] }
teams:
  a: { keyTypes: [RSA-1024], lifetime: { minSeconds: 100, maxSeconds: 99 } }
  b: { profiles: [], subject: { attributes: [XX] } }
`;
    let message = '';
    try {
      Policies.fromText(broken, '/etc/policy.yaml');
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toContain('POLICY_FILE /etc/policy.yaml has');
    for (const place of ['teams.a.keyTypes.0', 'teams.a.lifetime', 'teams.b.profiles', 'default']) {
      expect(message).toContain(`  ${place}`);
    }
  });

  test('what is no YAML is refused with line and column', () => {
    expect(() => Policies.fromText('teams: [', 'p.yaml')).toThrow(/p\.yaml is no YAML: .* at line 1/s);
  });
});
