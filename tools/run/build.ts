// npm run build: every project in the order of their dependencies, and each app's own folder dist/apps/<name>, by Nx.
import { join } from 'node:path';
import { nx } from '@keelson/testing';

process.exitCode = (
  await nx(join(import.meta.dirname, '../..'), ['run-many', '-t', 'build,deployable', ...process.argv.slice(2)])
).code;
