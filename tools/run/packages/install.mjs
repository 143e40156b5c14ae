// Plain JavaScript for Node 20: it runs before there are packages.
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { missingPackages } from './missing.mjs';

/**
 * Runs `npm ci` where node_modules does not hold what package-lock.json asks for. Two at once do not collide: the
 * second waits for the first and then finds nothing to do. Throws an Error with npm's last lines and the remedy.
 */
export async function installPackages({ root, allowed }) {
  const missing = missingPackages(root);
  if (missing === undefined) return;
  if (!allowed) {
    throw new Error(
      `the packages are not installed (${missing}), and installing is forbidden (--no-install); run: npm ci`,
    );
  }
  mkdirSync(join(root, '.cache'), { recursive: true });
  const started = Date.now();
  const seconds = () => ((Date.now() - started) / 1000).toFixed(1);
  const live = process.stderr.isTTY && process.env.TERM !== 'dumb';
  const title = `packages (npm ci: ${missing})`;
  if (!live) process.stderr.write(`  ..  ${title}\n`);
  const timer = live ? setInterval(() => process.stderr.write(`\r  ..  ${title} ${seconds()} s`), 200) : undefined;
  try {
    const { code, lines } = await run(root, [
      'flock',
      join(root, '.cache/install.lock'),
      process.execPath,
      join(root, 'tools/run/packages/install-locked.mjs'),
      root,
    ]);
    if (code !== 0) {
      // npm tells the cause first, and its usage after it.
      const said = lines.slice(0, 20).map((line) => `    ${line}`);
      throw new Error(
        [
          'npm ci failed',
          ...said,
          'remedy: see what npm says above; is its registry reachable (npm config get registry)? Then run the command again.',
        ].join('\n'),
      );
    }
  } finally {
    clearInterval(timer);
    if (live) process.stderr.write('\r\x1b[2K');
  }
  process.stderr.write(`  ok  ${'packages installed'.padEnd(52)}${seconds().padStart(6)} s\n`);
}

function run(cwd, [program, ...args]) {
  return new Promise((resolve, reject) => {
    const child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', program, ...args], {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (chunk) => (text += chunk));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, lines: text.trim().split('\n') }));
  });
}
