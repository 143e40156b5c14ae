export const suites = ['default', 'parts', 'kubernetes'] as const;
export type Suite = (typeof suites)[number];

export interface TestOptions {
  suite: Suite;
  allowInstall: boolean;
  /** Passed on to Jest: patterns of paths, `-t NAME`, `--selectProjects NAME`. */
  jest: string[];
}

/** Parses `--suite=NAME`, `--no-install` and what Jest takes. */
export function testOptions(args: readonly string[]): TestOptions {
  const named = args
    .filter((argument) => argument.startsWith('--suite='))
    .map((argument) => argument.slice('--suite='.length));
  const suite = suites.find((known) => known === (named.at(-1) ?? 'default'));
  if (suite === undefined) throw new Error(`--suite=${named.at(-1)} is not known; there are: ${suites.join(', ')}`);
  return {
    suite,
    allowInstall: !args.includes('--no-install'),
    jest: args.filter(
      (argument) => !argument.startsWith('--suite=') && argument !== '--no-install' && argument !== '--',
    ),
  };
}
