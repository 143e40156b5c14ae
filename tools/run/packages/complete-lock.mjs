// After `npm install` changed package-lock.json: node tools/run/packages/complete-lock.mjs adds what npm left out.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lockGaps } from './lock-gaps.mjs';

const file = join(import.meta.dirname, '../../../package-lock.json');
const lock = JSON.parse(readFileSync(file, 'utf8'));
const gaps = lockGaps(lock.packages);
const [root, ...rest] = Object.entries({ ...lock.packages, ...gaps });
rest.sort(([a], [b]) => a.localeCompare(b, 'en'));
lock.packages = Object.fromEntries([root, ...rest]);
if (Object.keys(gaps).length > 0) writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
process.stdout.write(`package-lock.json: ${Object.keys(gaps).length} optional packages of other platforms added\n`);
