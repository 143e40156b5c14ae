import { execFile } from 'node:child_process';
import { join } from 'node:path';

/** Writes the name of each package that is loaded to stderr, one a line. */
const TELL_PACKAGES = `
import { registerHooks } from 'node:module';
const told = new Set();
registerHooks({
  load(url, context, next) {
    const [, name] = /(?:node_modules|libs)\\/((?:@[^/]+\\/)?[^/]+)/.exec(url) ?? [];
    if (name !== undefined && !told.has(name)) {
      told.add(name);
      process.stderr.write('loaded ' + name + '\\n');
    }
    return next(url, context);
  },
});`;

/** What a command line loads, and how it ends. */
const loadedBy = (...argv: string[]) =>
  new Promise<{ packages: string[]; out: string; code: unknown }>((resolve) => {
    const hooks = `data:text/javascript,${encodeURIComponent(TELL_PACKAGES)}`;
    const program = [
      '--import',
      hooks,
      '--conditions=keelson-source',
      join(import.meta.dirname, '../src/main.ts'),
      ...argv,
    ];
    execFile(process.execPath, program, { env: { PATH: process.env['PATH'] } }, (error, out, err) => {
      const packages = [...err.matchAll(/^loaded (.+)$/gm)].map(([, name]) => name!);
      resolve({ packages, out, code: error === null ? 0 : error.code });
    });
  });

const HEAVY = ['amqplib', 'typeorm', 'pg', '@nestjs/common', 'rxjs', 'persistence'];

test.each([
  { argv: ['--help'], code: 0 },
  { argv: ['messages', '--help'], code: 0 },
  { argv: ['messages', 'timeline'], code: 0 },
  { argv: ['orders', 'list'], code: 2 },
  { argv: ['messages', 'parked'], code: 2 },
])('keelson $argv loads nothing that talks to a broker or a database', async ({ argv, code }) => {
  const loaded = await loadedBy(...argv);
  expect(loaded.code).toBe(code);
  expect(loaded.packages).toEqual(expect.arrayContaining(['commander', 'contracts']));
  expect(loaded.packages.filter((name) => HEAVY.includes(name))).toEqual([]);
});
