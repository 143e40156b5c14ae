// npm run format: Prettier over everything.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const paths = process.argv.slice(2);
process.exitCode =
  spawnSync('prettier', ['--write', '--log-level=warn', ...(paths.length > 0 ? paths : ['.'])], {
    cwd: root,
    stdio: 'inherit',
  }).status ?? 1;
