import { differenceOf, type LockedPackage } from './missing.mjs';

const wanted = {
  '': { version: '1.0.0' },
  'libs/contracts': { version: '0.1.0' },
  'node_modules/@keelson/contracts': { link: true },
  'node_modules/pg': { version: '8.0.0', integrity: 'sha512-a' },
  'node_modules/@swc/core-darwin-x64': { version: '1.0.0', optional: true },
};
const pg = { version: '8.0.0', integrity: 'sha512-a' };

describe('what node_modules lacks', () => {
  test.each<{ name: string; installed: Record<string, LockedPackage>; missing: string | undefined }>([
    {
      name: 'nothing, though packages of other machines are absent',
      installed: { 'node_modules/pg': pg },
      missing: undefined,
    },
    {
      name: 'nothing, though there are further ones',
      installed: { 'node_modules/pg': pg, 'node_modules/x': pg },
      missing: undefined,
    },
    { name: 'a package', installed: {}, missing: 'pg 8.0.0 is missing' },
    {
      name: 'a newer version',
      installed: { 'node_modules/pg': { version: '7.0.0' } },
      missing: 'pg is 7.0.0, the lock file says 8.0.0',
    },
    {
      name: 'the same file',
      installed: { 'node_modules/pg': { version: '8.0.0', integrity: 'sha512-b' } },
      missing: 'pg 8.0.0 is another file',
    },
  ])('$name', ({ installed, missing }) => {
    expect(differenceOf(wanted, installed)).toBe(missing);
  });
});
