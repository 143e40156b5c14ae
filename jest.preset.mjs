const suites = {
  // What needs PostgreSQL, RabbitMQ and Prometheus only; test-kubernetes runs on the sandbox here.
  default: { testMatch: ['<rootDir>/**/*.spec.ts', '<rootDir>/**/*.spec.tsx'], ignore: ['/test-parts/'] },
  parts: { testMatch: ['<rootDir>/test-parts/**/*.spec.ts', '<rootDir>/test-parts/**/*.spec.tsx'], ignore: [] },
  kubernetes: { testMatch: ['<rootDir>/test-kubernetes/**/*.spec.ts'], ignore: [] },
};
const suite = suites[process.env.KEELSON_TEST_SUITE ?? 'default'];
if (suite === undefined) {
  throw new Error(
    `KEELSON_TEST_SUITE is ${process.env.KEELSON_TEST_SUITE}; there are: ${Object.keys(suites).join(', ')}`,
  );
}

/**
 * Which of a suite's files run: `together`, several at a time, or `alone`, one at a time (`*.alone.spec.ts`: it wants
 * the whole machine, or disturbs what others share). Neither named: all of them.
 */
const turns = {
  together: { testMatch: suite.testMatch, ignore: [...suite.ignore, '\\.alone\\.spec\\.tsx?$'] },
  alone: { testMatch: suite.testMatch.map((glob) => glob.replace('*.spec', '*.alone.spec')), ignore: suite.ignore },
};
const { testMatch, ignore } = turns[process.env.KEELSON_TEST_TURN] ?? suite;

/**
 * The Jest settings that every project shares: ESM, TypeScript through swc (Nest's decorators need metadata, which
 * Node's own type stripping cannot emit), and workspace packages taken from their sources rather than from dist.
 */
export const preset = (name, root) => ({
  displayName: name,
  rootDir: root,
  // Bounds a test that hangs, nothing else: the first that asks for RabbitMQ starts it, and two cores may be shared by many.
  testTimeout: 180_000,
  testMatch,
  testPathIgnorePatterns: ['/node_modules/', '/dist/', ...ignore],
  // Not below the system's temporary folder: a run leaves nothing there.
  cacheDirectory: new URL('./node_modules/.cache/jest', import.meta.url).pathname,
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
