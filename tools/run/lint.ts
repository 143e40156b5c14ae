// npm run lint: oxlint with types, Prettier, module boundaries and the contract check, all of them even if one fails.
// With paths (npm run lint -- PATH...) the first two look at these alone.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { checkBoundaries } from './boundaries/check.ts';
import { step } from './steps.ts';

const root = join(import.meta.dirname, '../..');
const paths = process.argv.length > 2 ? process.argv.slice(2) : ['.'];
const findings: string[] = [];

async function program(title: string, command: string[]): Promise<void> {
  await step(title, async () => {
    const [name, ...args] = command as [string, ...string[]];
    const child = spawn(name, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
    if (code !== 0) throw new Error(output.trim() || `${name} ended with exit code ${String(code)}`);
  }).catch((error: unknown) => findings.push(`${title}:\n${(error as Error).message}`));
}

await program('oxlint, with types', ['oxlint', '--type-aware', '--deny-warnings', ...paths]);
await program('formatting (npm run format mends it)', [
  'prettier',
  '--check',
  '--ignore-unknown',
  '--log-level=warn',
  ...paths,
]);
await step(
  'module boundaries',
  async () => {
    const report = checkBoundaries(root);
    const lines = report.violations.map(({ file, line, text }) => `${file}:${line}: ${text}`);
    if (lines.length > 0) throw new Error(lines.join('\n'));
    return report;
  },
  ({ projects, imports }) => `module boundaries: ${imports} imports of ${projects} projects`,
).catch((error: unknown) => findings.push(`module boundaries:\n${(error as Error).message}`));
if (existsSync(join(root, 'tools/contract-check/main.ts'))) {
  await program('contracts: documents and compatibility', [
    process.execPath,
    '--conditions=keelson-source',
    '--disable-warning=ExperimentalWarning',
    'tools/contract-check/main.ts',
    '--check',
  ]);
}
for (const finding of findings) process.stderr.write(`\n${finding}\n`);
process.exitCode = findings.length > 0 ? 1 : 0;
