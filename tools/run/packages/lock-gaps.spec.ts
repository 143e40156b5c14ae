import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lockGaps } from './lock-gaps.mjs';

describe('the lock file', () => {
  test('names the optional packages of all platforms, so that npm ci takes it anywhere', () => {
    const lock = JSON.parse(readFileSync(join(import.meta.dirname, '../../../package-lock.json'), 'utf8')) as {
      packages: Record<string, object>;
    };
    // If this fails: node tools/run/packages/complete-lock.mjs, and commit package-lock.json.
    expect(lockGaps(lock.packages)).toEqual({});
  });

  test('gets those that are missing with the platform that their names tell', () => {
    const packages = {
      'node_modules/swc': {
        dev: true,
        optionalDependencies: { 'swc-linux-x64-musl': '1.0.0', 'swc-win32-ia32-msvc': '1.0.0', here: '1.0.0' },
      },
      'node_modules/swc/node_modules/here': {},
    };
    const common = { version: '1.0.0', dev: true, optional: true };
    expect(lockGaps(packages)).toEqual({
      'node_modules/swc-linux-x64-musl': { ...common, os: ['linux'], cpu: ['x64'], libc: ['musl'] },
      'node_modules/swc-win32-ia32-msvc': { ...common, os: ['win32'], cpu: ['ia32'] },
    });
  });
});
