import { createWriteStream, existsSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { EXIT, Failure } from '../failure.ts';

/** A file of order ids, one a line, written as they come: what was promised is on disk though the load is killed. */
export interface IdsFile {
  add(id: string): void;
  close(): Promise<void>;
}

/** Opens (and empties) the file. Throws Failure where it cannot be written. */
export async function openIdsFile(path: string): Promise<IdsFile> {
  const stream = createWriteStream(path, { mode: 0o644 });
  await once(stream, 'open').catch((cause: Error) => {
    throw new Failure(`--ids-file: ${path} cannot be written: ${cause.message}`, EXIT.usage);
  });
  return {
    add: (id) => void stream.write(`${id}\n`),
    close: () => new Promise((resolve) => stream.end(resolve)),
  };
}

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** The ids of a file, each once. Throws Failure with the line that is no id. */
export function readIdsFile(path: string): string[] {
  if (!existsSync(path)) throw new Failure(`--expect-file: there is no ${path}`, EXIT.usage);
  const ids = new Set<string>();
  for (const [index, line] of readFileSync(path, 'utf8').split('\n').entries()) {
    const id = line.trim();
    if (id === '') continue;
    if (!UUID.test(id)) throw new Failure(`${path}:${index + 1}: expected the id of an order, a UUID`, EXIT.usage);
    ids.add(id.toLowerCase());
  }
  return [...ids];
}
