import { tally, tallyLine } from './tally.ts';

const suite = (status: string, ...tests: string[]) => ({
  name: 'a.spec.ts',
  status,
  assertionResults: tests.map((test) => ({ status: test })),
});

describe('the count of a test run', () => {
  test.each([
    {
      name: 'adds up the suites',
      suites: [suite('passed', 'passed', 'passed'), suite('failed', 'passed', 'failed')],
      line: '3 passed, 1 failed',
    },
    {
      name: 'counts a suite that could not be loaded as failed',
      suites: [suite('failed')],
      line: '0 passed, 1 failed',
    },
    {
      name: 'counts a suite whose afterAll failed as failed',
      suites: [suite('failed', 'passed')],
      line: '1 passed, 1 failed',
    },
    {
      name: 'does not count skipped tests as passed',
      suites: [suite('passed', 'pending', 'todo')],
      line: '0 passed, 0 failed',
    },
    { name: 'is zero where nothing ran', suites: [], line: '0 passed, 0 failed' },
  ])('$name', ({ suites, line }) => {
    expect(tallyLine(tally({ testResults: suites }))).toBe(line);
  });
});
