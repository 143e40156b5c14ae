import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeProgram } from '../src/program.ts';

const page = (name: string): string => readFileSync(join(import.meta.dirname, '../../../docs', name), 'utf8');
const nothing = () => undefined;
const program = makeProgram({ environment: {}, out: nothing, err: nothing, signal: new AbortController().signal });
const verbs = program.commands.find((command) => command.name() === 'messages')!.commands.map((verb) => verb.name());

test('the pages on messaging name every command of `keelson messages`, and no other', () => {
  const text = page('messaging/parking-lot.md') + page('messaging/diagnostics.md');
  const named = [...text.matchAll(/`keelson messages ([a-z]+)/g)].map(([, verb]) => verb!);
  expect([...new Set(named)].sort()).toEqual([...verbs].sort());
});

test('the page of the command line has a row for each of its commands', () => {
  const rows = page('cli/README.md')
    .split('\n')
    .filter((line) => line.startsWith('| `keelson'))
    .join('\n');
  for (const command of program.commands.map((one) => one.name()).filter((name) => !name.startsWith('__')))
    expect(rows).toContain(`\`keelson ${command}`);
  for (const verb of verbs) expect(rows).toMatch(new RegExp(`messages [^|]*\\b${verb}\\b`));
});
