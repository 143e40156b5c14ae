import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { once } from 'node:events';
import { ContainerLog, readLog } from './container-log.ts';
import { parseLines, render, select, type LogLine } from './line.ts';

describe('the log of a container', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'keelson-log-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const write = async (log: ContainerLog, chunks: string[]): Promise<void> => {
    const source = new PassThrough();
    log.attach(source, 'stdout');
    for (const chunk of chunks) source.write(chunk);
    source.end();
    await once(source, 'close');
  };

  test('puts lines together from any chunks, with an unfinished last one', async () => {
    const file = join(folder, '0.log');
    await write(new ContainerLog(file), ['a', 'b\nc', 'd\n\n', 'end']);
    expect(readLog(file).map((line) => line.text)).toEqual(['ab', 'cd', '', 'end']);
  });

  test('a follower sees every line once: those before and those after', async () => {
    const file = join(folder, '0.log');
    const log = new ContainerLog(file);
    const source = new PassThrough();
    log.attach(source, 'stderr');
    source.write('before\n');
    await new Promise(setImmediate);
    const later: string[] = [];
    let over = false;
    const { lines } = log.read({ onLine: (line) => later.push(line.text), onEnd: () => (over = true) });
    source.end('after\n');
    await once(source, 'close');
    expect(lines.map((line) => line.text)).toEqual(['before']);
    expect(later).toEqual(['after']);
    expect(over).toBe(true);
  });

  test('is bounded: old lines go when it is rotated', async () => {
    const file = join(folder, '0.log');
    const chunk = `${'x'.repeat(1023)}\n`.repeat(1024);
    await write(
      new ContainerLog(file),
      Array.from({ length: 14 }, () => chunk),
    );
    const bytes = statSync(file).size + statSync(`${file}.1`).size;
    expect(bytes).toBeLessThanOrEqual(10 * 1024 * 1024);
    expect(bytes).toBeGreaterThan(5 * 1024 * 1024);
  });

  test('a line that never ends is cut', async () => {
    const file = join(folder, '0.log');
    await write(new ContainerLog(file), ['y'.repeat(40_000)]);
    expect(readLog(file).map((line) => line.text.length)).toEqual([16_384, 16_384, 7232]);
  });
});

describe('choosing lines', () => {
  const lines: LogLine[] = [1, 2, 3].map((n) => ({
    time: `2026-03-01T10:00:0${n}.000Z`,
    stream: 'stdout',
    text: `l${n}`,
  }));

  test.each([
    [{}, ['l1', 'l2', 'l3']],
    [{ tailLines: 2 }, ['l2', 'l3']],
    [{ tailLines: 0 }, []],
    [{ tailLines: 9 }, ['l1', 'l2', 'l3']],
    [{ sinceTime: Date.parse('2026-03-01T10:00:02Z') }, ['l2', 'l3']],
    [{ sinceTime: Date.parse('2026-03-01T10:00:02Z'), tailLines: 1 }, ['l3']],
  ])('%j', (query, expected) => {
    expect(select(lines, { timestamps: false, ...query }).map((line) => line.text)).toEqual(expected);
  });

  test('timestamps go in front when they are asked for', () => {
    expect(lines.map((line) => render(line, { timestamps: true }))[0]).toBe('2026-03-01T10:00:01.000Z l1\n');
  });

  test('what is no line of the format is passed over', () => {
    expect(parseLines('half a li\n2026-03-01T10:00:01Z stdout F ok\n')).toHaveLength(1);
  });
});
