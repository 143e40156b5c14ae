import { KubernetesUnreachableError } from './errors.ts';

/** etcd holds objects of up to 1.5 MiB; JSON escaping and managedFields may make them larger on the wire. */
export const maxLineBytes = 16 * 1024 * 1024;

/**
 * One parsed JSON value per line, as watches send them. Memory is bounded: at most one line and one chunk are held,
 * and the source is not read further until the consumer asks. A last line without its newline was cut off: it is not
 * delivered. Throws KubernetesUnreachableError for a line that is longer than `limit` bytes or is no JSON.
 */
export async function* jsonLines(source: AsyncIterable<Buffer>, limit: number = maxLineBytes): AsyncGenerator {
  let parts: Buffer[] = [];
  let held = 0;
  for await (const chunk of source) {
    let from = 0;
    for (let end = chunk.indexOf(10, from); end !== -1; end = chunk.indexOf(10, from)) {
      const tail = chunk.subarray(from, end);
      from = end + 1;
      if (held + tail.length > limit) throw tooLong(limit);
      const line = parts.length === 0 ? tail : Buffer.concat([...parts, tail]);
      parts = [];
      held = 0;
      if (line.length > 0) yield parsed(line);
    }
    if (from < chunk.length) {
      const rest = chunk.subarray(from);
      held += rest.length;
      if (held > limit) throw tooLong(limit);
      parts.push(rest);
    }
  }
}

function parsed(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString('utf8'));
  } catch (error) {
    const start = line.subarray(0, 80).toString('utf8');
    throw new KubernetesUnreachableError(`the watch sent a line that is no JSON: ${start}`, 'BROKEN', error);
  }
}

function tooLong(limit: number): KubernetesUnreachableError {
  return new KubernetesUnreachableError(`the watch sent a line of more than ${limit} bytes`, 'BROKEN');
}
