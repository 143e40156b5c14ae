import fc from 'fast-check';
import { KubernetesUnreachableError } from './errors.ts';
import { jsonLines } from './json-lines.ts';

async function* chunked(bytes: Buffer, sizes: number[]): AsyncGenerator<Buffer> {
  let from = 0;
  for (let i = 0; from < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? 1;
    yield bytes.subarray(from, from + size);
    from += size;
  }
}

async function collect(source: AsyncIterable<Buffer>, limit?: number): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const value of jsonLines(source, limit)) values.push(value);
  return values;
}

test('the values do not depend on where the network cut the stream', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown)),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
      async (values, sizes) => {
        const bytes = Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
        expect(await collect(chunked(bytes, sizes))).toEqual(values);
      },
    ),
  );
});

test('a last line without its newline was cut off and is not delivered', async () => {
  expect(await collect(chunked(Buffer.from('{"a":1}\n{"b":2}'), [3]))).toEqual([{ a: 1 }]);
});

test.each([
  { name: 'in one chunk', sizes: [1000] },
  { name: 'in many chunks', sizes: [7] },
  { name: 'without ever ending', sizes: [7], endless: true },
])('a line above the limit is refused $name', async ({ sizes, endless }) => {
  const bytes = Buffer.from(`"${'x'.repeat(100)}"${endless === true ? '' : '\n'}`);
  await expect(collect(chunked(bytes, sizes), 50)).rejects.toThrow('more than 50 bytes');
});

test('a line of exactly the limit passes', async () => {
  expect(await collect(chunked(Buffer.from('"12345678"\n'), [4]), 10)).toEqual(['12345678']);
});

test('a line that is no JSON is told as a broken connection, with its start', async () => {
  const broken = collect(chunked(Buffer.from('<html>bad gateway</html>\n'), [5]));
  await expect(broken).rejects.toThrow(KubernetesUnreachableError);
  await expect(broken).rejects.toThrow('<html>bad gateway');
});

test('the source is not read ahead of the consumer', async () => {
  let read = 0;
  async function* endless(): AsyncGenerator<Buffer> {
    for (;;) {
      read++;
      yield Buffer.from('{}\n');
    }
  }
  const lines = jsonLines(endless());
  await lines.next();
  await lines.next();
  expect(read).toBe(2);
  await lines.return(undefined);
});
