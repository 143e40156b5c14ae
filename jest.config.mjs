import { readdirSync, existsSync } from 'node:fs';

const projects = ['libs', 'apps', 'tools']
  .flatMap((kind) => (existsSync(kind) ? readdirSync(kind).map((name) => `<rootDir>/${kind}/${name}`) : []))
  .filter((dir) => existsSync(`${dir.replace('<rootDir>/', '')}/jest.config.mjs`))
  .map((dir) => `${dir}/jest.config.mjs`);

/** All projects in one Jest run: `npm test` prints one line for all of them, and two cores are not shared by ten Jests. */
export default {
  projects,
  testSequencer: '<rootDir>/jest.slow-first.mjs',
  testTimeout: 180_000,
  cacheDirectory: '<rootDir>/node_modules/.cache/jest',
  watchman: false,
};
