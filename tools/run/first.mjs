// The first step of every npm script. It runs on Node 20 without any package: it installs the packages where they are
// missing or out of date, and then hands over to Node 24, which is one of them, and to the TypeScript of the command.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { installPackages } from './packages/install.mjs';

const root = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../..');

/** Command -> its entry, and arguments put before the user's. */
const commands = {
  start: ['tools/stack/main.ts'],
  test: ['tools/run/test.ts', '--suite=default'],
  'test:parts': ['tools/run/test.ts', '--suite=parts'],
  'test:kubernetes': ['tools/run/test.ts', '--suite=kubernetes'],
  lint: ['tools/run/lint.ts'],
  typecheck: ['tools/run/typecheck.ts'],
  build: ['tools/run/build.ts'],
  format: ['tools/run/format.ts'],
  bench: ['tools/bench/main.ts'],
  faults: ['tools/faults/main.ts'],
};

/** Our parent, and its parent where that is npm: a process that loses its parent gets another. */
function startersNow() {
  if (process.env.npm_lifecycle_event === undefined) return String(process.ppid);
  try {
    // proc(5): the command's name stands in brackets and may hold anything; the parent is the second field after it.
    const stat = readFileSync(`/proc/${process.ppid}/stat`, 'utf8');
    return `${process.ppid} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]}`;
  } catch {
    return 'gone';
  }
}

/** Says what is wrong and how to go on, and ends with `code`; 78 is EX_CONFIG of sysexits.h. */
function giveUp(text, code = 78) {
  process.stderr.write(`keelson: ${text}\n`);
  process.exit(code);
}

const [name, ...userArguments] = process.argv.slice(2);
const command = Object.hasOwn(commands, name ?? '') ? commands[name] : undefined;
if (command === undefined) {
  giveUp(
    `${name === undefined ? 'no command given' : `unknown command "${name}"`}; there are: ${Object.keys(commands).join(', ')}`,
    64,
  );
}
const [major] = process.versions.node.split('.').map(Number);
if (major < 20) {
  giveUp(
    `Node ${process.versions.node} is too old; 20 or newer is needed (on Debian: https://nodejs.org, or a backport)`,
  );
}
if (process.platform !== 'linux') {
  giveUp(
    `this runs on Linux, not on ${process.platform}: its parts are Linux programs. A Debian 12 virtual machine or container does.`,
  );
}
if (!existsSync(join(root, command[0]))) giveUp(`${command[0]} is not there: is this a whole clone?`);

try {
  await installPackages({ root, allowed: !userArguments.includes('--no-install') });
} catch (error) {
  giveUp(error.message, 1);
}

const node = join(root, 'node_modules/.bin/node');
if (!existsSync(node)) {
  giveUp(
    `there is no Node 24 for ${process.arch} among the packages (x64 and arm64 have one); after an \`npm ci --omit=optional\` run \`npm ci\``,
  );
}
const child = spawn(
  'setpriv',
  // The commands below stop what they started when they are told to end, so the polite signal does here.
  [
    '--pdeathsig',
    'TERM',
    '--',
    node,
    '--conditions=keelson-source',
    '--disable-warning=ExperimentalWarning',
    // Without it Node takes the user's --env-file for its own.
    '--',
    join(root, command[0]),
    ...command.slice(1),
    ...userArguments,
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      // Programs that are started many times find their JavaScript compiled. TypeScript and swc keep such files, too,
      // and would put them into the system's temporary folder and the user's home, where a run leaves nothing.
      NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/node-compile'),
      SWC_NATIVE_BINDING_CACHE: join(root, 'node_modules/.cache/swc-native'),
      ...process.env,
      PATH: `${join(root, 'node_modules/.bin')}${delimiter}${process.env.PATH ?? ''}`,
    },
  },
);
child.once('error', (error) =>
  giveUp(`${command[0]} cannot be run: ${error.message} (setpriv is in the Debian package util-linux)`, 1),
);
// Ctrl-C reaches the whole foreground group, the child too: it decides when it has tidied up.
process.on('SIGINT', () => {});
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
// npm killed, or the shell that it starts us by: nobody would ever tell us to stop.
const starters = startersNow();
setInterval(() => {
  if (startersNow() !== starters) child.kill('SIGTERM');
}, 500).unref();
child.once('exit', (code, signal) =>
  process.exit(code ?? 128 + ({ SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }[signal ?? ''] ?? 1)),
);
