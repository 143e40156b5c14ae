// Writes dist/apps/<name> for the app that is named; run by `nx deployable <name>`, which builds it before.
import { join, relative } from 'node:path';
import { deployableApps, writeDeployable } from './deployable/write.ts';

const root = join(import.meta.dirname, '../..');
const [name] = process.argv.slice(2);
if (name === undefined) {
  process.stderr.write(`deployable: name an app: ${deployableApps(root).join(', ')}\n`);
  process.exit(64);
}
process.stdout.write(`${relative(root, writeDeployable(root, name))}\n`);
