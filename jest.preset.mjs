/**
 * The Jest settings that every project shares: ESM, TypeScript through swc (Nest's decorators need metadata, which
 * Node's own type stripping cannot emit), and workspace packages taken from their sources rather than from dist.
 */
export const preset = (name, root) => ({
  displayName: name,
  rootDir: root,
  // Long enough for the first test that asks for RabbitMQ, which starts it.
  testTimeout: 60_000,
  testMatch: ['<rootDir>/**/*.spec.ts', '<rootDir>/**/*.spec.tsx'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/', '/test-parts/', '/test-kubernetes/'],
  modulePathIgnorePatterns: ['/dist/'],
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['keelson-source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts', '.tsx'],
  transform: {
    '^.+\\.tsx?$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript', decorators: true, tsx: false },
          transform: { legacyDecorator: true, decoratorMetadata: true, react: { runtime: 'automatic' } },
          target: 'es2024',
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  globalSetup: new URL('./libs/testing/src/jest/global-setup.mjs', import.meta.url).pathname,
  globalTeardown: new URL('./libs/testing/src/jest/global-teardown.mjs', import.meta.url).pathname,
});
