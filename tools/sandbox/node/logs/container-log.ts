import { EventEmitter } from 'node:events';
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { formatLine, type LogLine, parseLines } from './line.ts';

/** A log file is rotated at this size, and one older file is kept: 10 MiB at most for each run of a container. */
const MAX_BYTES = 5 * 1024 * 1024;
/** A longer line is cut into several, as a container runtime does. */
const MAX_LINE = 16 * 1024;

/**
 * The log of one run of a container, in the format of the Container Runtime Interface (`TIME STREAM F TEXT`). Written
 * synchronously into the page cache: a reader and a follower see every line exactly once, and nothing is lost when the
 * node is killed.
 */
export class ContainerLog {
  readonly #file: string;
  readonly #lines = new EventEmitter<{ line: [LogLine]; end: [] }>();
  #fd: number | undefined;
  #size: number;
  #open = 0;

  constructor(file: string) {
    this.#file = file;
    mkdirSync(dirname(file), { recursive: true });
    this.#fd = openSync(file, 'a');
    this.#size = fstatSync(this.#fd).size;
    this.#lines.setMaxListeners(0);
  }

  /** Takes everything from a process's output until it ends. */
  attach(source: Readable | null, stream: LogLine['stream']): void {
    if (source === null) return;
    this.#open += 1;
    let rest = '';
    source.setEncoding('utf8');
    source.on('data', (chunk: string) => {
      const parts = (rest + chunk).split('\n');
      rest = parts.pop() ?? '';
      this.#write(parts, stream);
      while (rest.length > MAX_LINE) {
        this.#write([rest.slice(0, MAX_LINE)], stream);
        rest = rest.slice(MAX_LINE);
      }
    });
    source.on('error', () => {
      // The pipe broke with its process: what had come is written, 'close' follows.
    });
    source.on('close', () => {
      if (rest !== '') this.#write([rest], stream);
      this.#open -= 1;
      if (this.#open === 0) this.close();
    });
  }

  /** The lines there are now; with `follow` also each later one, until the returned function is called. */
  read(follow?: { onLine: (line: LogLine) => void; onEnd: () => void }): { lines: LogLine[]; stop: () => void } {
    const lines = readLog(this.#file);
    if (follow === undefined) return { lines, stop: () => undefined };
    if (this.#fd === undefined) {
      follow.onEnd();
      return { lines, stop: () => undefined };
    }
    this.#lines.on('line', follow.onLine);
    this.#lines.on('end', follow.onEnd);
    return {
      lines,
      stop: () => {
        this.#lines.off('line', follow.onLine);
        this.#lines.off('end', follow.onEnd);
      },
    };
  }

  close(): void {
    if (this.#fd === undefined) return;
    closeSync(this.#fd);
    this.#fd = undefined;
    this.#lines.emit('end');
  }

  #write(texts: string[], stream: LogLine['stream']): void {
    if (this.#fd === undefined || texts.length === 0) return;
    const time = new Date().toISOString();
    const lines = texts.map((text): LogLine => ({ time, stream, text }));
    const bytes = Buffer.from(lines.map(formatLine).join(''));
    if (this.#size > 0 && this.#size + bytes.length > MAX_BYTES) this.#rotate();
    writeSync(this.#fd, bytes);
    this.#size += bytes.length;
    for (const line of lines) this.#lines.emit('line', line);
  }

  #rotate(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    renameSync(this.#file, `${this.#file}.1`);
    this.#fd = openSync(this.#file, 'a');
    this.#size = 0;
  }
}

/** The lines of a log that may be over: its older file first. */
export function readLog(file: string): LogLine[] {
  return [`${file}.1`, file].flatMap((name) => parseLines(readIfThere(name)));
}

export function removeLog(file: string): void {
  rmSync(file, { force: true });
  rmSync(`${file}.1`, { force: true });
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
