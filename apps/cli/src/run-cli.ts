import { CommanderError } from 'commander';
import type { Surroundings } from './command.ts';
import { describe, EXIT, exitCodeOf } from './failure.ts';
import { makeProgram } from './program.ts';

/** Runs one command line and returns its exit code; what went wrong is on stderr. */
export async function runCli(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const program = makeProgram(surroundings);
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    if (surroundings.signal.aborted) return 130;
    // commander has said it already; help and version are no faults.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    surroundings.err(`${describe(error, ['json', 'jsonl'].includes(program.opts<{ output: string }>().output))}\n`);
    return exitCodeOf(error);
  }
}
