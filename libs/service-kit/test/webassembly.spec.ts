import { startProcess } from '@keelson/testing';
import { fileURLToPath } from 'node:url';
import { cleanEnvironment } from './example-process-runner.ts';

// Else 10 MiB more at rest, with the first few responses or after hours.
test('the HTTP parser of fetch is compiled once, and not anew by the optimising compiler', async () => {
  const fetching = await startProcess({
    name: 'fetching',
    command: [
      process.execPath,
      '--trace-wasm-compilation-times',
      fileURLToPath(new URL('fetching-process.mjs', import.meta.url)),
    ],
    env: cleanEnvironment,
    ready: { line: /^fetched$/ },
  });
  expect(await fetching.stop(10_000)).toMatchObject({ code: 0 });
  const compiled = fetching.lastLines(400).filter((line) => line.startsWith('Compiled function'));
  expect(compiled.filter((line) => line.includes('using Liftoff')).length).toBeGreaterThan(0);
  expect(compiled.filter((line) => line.includes('using TurboFan'))).toEqual([]);
});
