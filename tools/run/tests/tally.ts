/** The part of Jest's `--json` document that is read here (jest: FormattedTestResults). */
export interface JestResults {
  testResults: {
    name: string;
    /** 'passed' or 'failed'. */
    status: string;
    /** Each 'passed', 'failed', 'pending', 'todo', 'skipped' or 'disabled'. */
    assertionResults: { status: string }[];
  }[];
}

export interface Tally {
  passed: number;
  failed: number;
}

/**
 * Counts tests. A suite that failed though none of its tests did (it could not be loaded, or its afterAll failed)
 * counts as one failed test, so that it cannot go unseen.
 */
export function tally({ testResults }: JestResults): Tally {
  const total: Tally = { passed: 0, failed: 0 };
  for (const { status, assertionResults } of testResults) {
    const failed = assertionResults.filter((test) => test.status === 'failed').length;
    total.passed += assertionResults.filter((test) => test.status === 'passed').length;
    total.failed += status === 'failed' ? Math.max(failed, 1) : failed;
  }
  return total;
}

/** The last line of a run, alone on it. */
export function tallyLine({ passed, failed }: Tally): string {
  return `${passed} passed, ${failed} failed`;
}
