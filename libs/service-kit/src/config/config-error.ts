/** One thing that is wrong with the configuration. */
export interface ConfigFault {
  /** The variable, or the path of a value inside a structured one: `SINKS[0].url`. */
  readonly name: string;
  /** What is wrong and what is allowed; never contains a secret. */
  readonly detail: string;
}

/** sysexits.h: configuration error. Restarting does not help, a person must change something. */
export const EXIT_CONFIG = 78;

/** The configuration cannot be used. The message lists every fault, so that one look is enough to mend them all. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly exitCode = EXIT_CONFIG;
  readonly faults: readonly ConfigFault[];

  constructor(faults: readonly ConfigFault[]) {
    const lines = faults.map(({ name, detail }) => `  ${name}: ${detail}`);
    super(`${faults.length} ${faults.length === 1 ? 'fault' : 'faults'} in the configuration:\n${lines.join('\n')}`);
    this.faults = faults;
  }
}
