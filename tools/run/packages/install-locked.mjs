// Run by install.mjs under its lock.
import { spawnSync } from 'node:child_process';
import { missingPackages } from './missing.mjs';

const [root] = process.argv.slice(2);
if (missingPackages(root) !== undefined) {
  // The npm that runs us, if one does: the same version the user chose.
  const { npm_execpath: npm } = process.env;
  const [program, before] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
  const { status } = spawnSync(program, [...before, 'ci', '--no-audit', '--no-fund'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
  const missing = missingPackages(root);
  if (missing !== undefined) {
    process.stderr.write(`npm ci ended well, yet ${missing}\n`);
    process.exit(1);
  }
}
