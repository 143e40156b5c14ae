import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Change } from './compatibility/change.ts';
import { type PublishedDocument, textOf } from './documents.ts';
import { fileAt } from './repository.ts';

export interface Finding {
  readonly path: string;
  /** Said in one line each; breaking ones fail the check. */
  readonly problems: readonly string[];
  readonly notices: readonly string[];
}

/** Writes every document whose text changed; gives the paths of those. */
export async function writeDocuments(documents: readonly PublishedDocument[], root: string): Promise<string[]> {
  const written: string[] = [];
  for (const { path, document } of documents) {
    const text = await textOf(document);
    if (textAt(root, path) === text) continue;
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    written.push(path);
  }
  return written;
}

/**
 * Holds the contracts against what is published: the committed files must be what the tables say, and the tables must
 * not break what `against` (a commit; the committed files where it is undefined) promised.
 */
export async function checkDocuments(
  documents: readonly PublishedDocument[],
  root: string,
  against?: string,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const published of documents) {
    const { path, document } = published;
    const committed = textAt(root, path);
    const problems: string[] = [];
    if (committed === undefined)
      problems.push('is missing; run node --conditions=keelson-source tools/contract-check/main.ts --write');
    else if (committed !== (await textOf(document))) {
      problems.push(
        'differs from the contracts; run node --conditions=keelson-source tools/contract-check/main.ts --write and commit it',
      );
    }
    const base = against === undefined ? committed : fileAt(against, path, root);
    const changes = base === undefined ? [] : published.compare(JSON.parse(base) as never, plain(document) as never);
    findings.push({
      path,
      problems: [...problems, ...changes.filter(({ kind }) => kind === 'breaking').map(inWords)],
      notices: changes.filter(({ kind }) => kind === 'notice').map(inWords),
    });
  }
  return findings;
}

const inWords = ({ kind, where, what }: Change): string => `${kind === 'breaking' ? 'BREAKING ' : ''}${where}: ${what}`;

const plain = (document: object): unknown => JSON.parse(JSON.stringify(document));

function textAt(root: string, path: string): string | undefined {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
