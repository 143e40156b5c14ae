// npm run typecheck: tsc over every project, by Nx, which skips those whose sources did not change.
import { join } from 'node:path';
import { nx } from '@keelson/testing';

process.exitCode = (
  await nx(join(import.meta.dirname, '../..'), ['run-many', '-t', 'typecheck', ...process.argv.slice(2)])
).code;
