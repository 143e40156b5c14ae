import { generalProblems, type GeneralProblemCode, type ProblemKind, type ProblemTable } from '@keelson/contracts';

/** A code of the general table, or one that a service registered. */
export type ProblemCode = GeneralProblemCode | (string & Record<never, never>);

const registered = new Map<string, ProblemKind>(Object.entries(generalProblems));

/**
 * Adds problems of a service to the table (those of its contract are there already once it started). Adding the same
 * one again changes nothing. Gives the table back.
 *
 * @throws Error where a code already means something else.
 */
export function registerProblems<const Table extends ProblemTable>(problems: Table): Table {
  for (const [code, kind] of Object.entries(problems)) {
    const present = registered.get(code);
    if (present !== undefined && (present.status !== kind.status || present.title !== kind.title)) {
      throw new Error(
        `problem "${code}" is ${present.status} "${present.title}" already; give ${kind.status} "${kind.title}" another code`,
      );
    }
    registered.set(code, kind);
  }
  return problems;
}

export const problemKind = (code: string): ProblemKind | undefined => registered.get(code);

/** Every problem that this process can answer. */
export const registeredProblems = (): ReadonlyMap<string, ProblemKind> => registered;
