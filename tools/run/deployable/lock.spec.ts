import { type LockPackages, pruneLock } from './lock.ts';

const lock: LockPackages = {
  '': { name: 'workspace' },
  'apps/shop': {
    name: '@k/shop',
    version: '1.0.0',
    dependencies: { '@k/lib': '1.0.0', yaml: '2.0.0' },
    devDependencies: { jest: '30.0.0' },
  },
  'apps/shop/node_modules/yaml': { version: '2.0.0' },
  'libs/lib': { name: '@k/lib', version: '1.0.0', dependencies: { '@k/base': '1.0.0', cosmic: '7.0.0' } },
  'libs/base': {
    name: '@k/base',
    version: '1.0.0',
    dependencies: { zod: '4.0.0' },
    devDependencies: { jest: '30.0.0' },
  },
  'node_modules/@k/shop': { resolved: 'apps/shop', link: true },
  'node_modules/@k/lib': { resolved: 'libs/lib', link: true },
  'node_modules/@k/base': { resolved: 'libs/base', link: true },
  'node_modules/cosmic': {
    version: '7.0.0',
    dependencies: { yaml: '^1.0.0' },
    optionalDependencies: { fsevents: '2.0.0', extra: '1.0.0' },
    peerDependencies: { zod: '*', react: '*' },
    peerDependenciesMeta: { react: { optional: true } },
  },
  'node_modules/yaml': { version: '1.10.0', dev: true },
  'node_modules/extra': { version: '1.0.0', optional: true },
  'node_modules/zod': { version: '4.0.0' },
  'node_modules/react': { version: '19.0.0', dev: true },
  'node_modules/jest': { version: '30.0.0', dev: true },
};

describe('the lock file of a deployable', () => {
  const { packages, workspace } = pruneLock(lock, 'apps/shop');

  test('holds what the app and its libs need to run, and nothing of development', () => {
    expect(Object.keys(packages)).toEqual([
      '',
      'node_modules/@k/base',
      'node_modules/@k/lib',
      'node_modules/cosmic',
      'node_modules/cosmic/node_modules/yaml',
      'node_modules/extra',
      'node_modules/yaml',
      'node_modules/zod',
      'workspace_modules/@k/base',
      'workspace_modules/@k/lib',
    ]);
  });

  test('keeps the version that each of two got in the workspace', () => {
    expect(packages['node_modules/yaml']).toEqual({ version: '2.0.0' });
    expect(packages['node_modules/cosmic/node_modules/yaml']).toEqual({ version: '1.10.0' });
  });

  test('turns libs into files beside the app', () => {
    expect([...workspace]).toEqual([
      ['libs/lib', 'workspace_modules/@k/lib'],
      ['libs/base', 'workspace_modules/@k/base'],
    ]);
    expect(packages['']?.dependencies).toEqual({ '@k/lib': 'file:workspace_modules/@k/lib', yaml: '2.0.0' });
    expect(packages['workspace_modules/@k/lib']?.dependencies).toEqual({ '@k/base': 'file:../base', cosmic: '7.0.0' });
    expect(packages['node_modules/@k/lib']).toEqual({ resolved: 'workspace_modules/@k/lib', link: true });
  });

  test('marks as optional only what nothing else needs', () => {
    expect(packages['node_modules/extra']?.optional).toBe(true);
    expect(packages['node_modules/zod']?.optional).toBeUndefined();
  });

  test('says what to do when the lock file lacks a package', () => {
    const { 'node_modules/zod': _gone, ...torn } = lock;
    expect(() => pruneLock(torn, 'apps/shop')).toThrow('libs/base needs zod, which it does not hold; run npm install');
  });
});
