import type { Command } from 'commander';
import { FORMATS, Printer, type Format } from './output/printer.ts';
import { Settings } from './settings.ts';

/** What every command works with. */
export interface Context {
  readonly settings: Settings;
  readonly print: Printer;
  /** Aborted on Ctrl-C. */
  readonly signal: AbortSignal;
  readonly now: () => Date;
  /** stderr as it is, for a line that is renewed. */
  readonly writeProgress: (text: string) => void;
  /** Width of the terminal that stderr is; undefined where it is none. */
  readonly terminalColumns: number | undefined;
}

export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly signal: AbortSignal;
  readonly terminalColumns?: number | undefined;
}

/** Runs a command's work with its context; settings are read only now, so that `--help` needs none. */
export type Run = <Options, Arguments extends unknown[]>(
  work: (context: Context, options: Options, ...rest: Arguments) => Promise<void>,
) => (...args: unknown[]) => Promise<void>;

/** Makes {@link Run} from the global options of the program. */
export function runner(program: Command, surroundings: Surroundings): Run {
  return (work) =>
    async (...args) => {
      // commander passes the arguments, then the options, then the command itself.
      const command = args.at(-1) as Command;
      const options = args.at(-2);
      const global = program.opts<{ output: Format; envFile?: string }>();
      const settings = new Settings(surroundings.environment, global.envFile);
      const print = new Printer(global.output, { out: surroundings.out, err: surroundings.err });
      const context: Context = {
        settings,
        print,
        signal: surroundings.signal,
        now: () => new Date(),
        writeProgress: surroundings.err,
        terminalColumns: surroundings.terminalColumns,
      };
      try {
        await work(context, options as never, ...(command.processedArgs as never));
      } finally {
        await settings.close();
      }
    };
}

/** Checks -o. */
export function parseFormat(text: string): Format {
  const format = FORMATS.find((one) => one === text);
  if (format) return format;
  throw new Error(`allowed: ${FORMATS.join(', ')}`);
}
