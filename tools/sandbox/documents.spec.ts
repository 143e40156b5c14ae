import { readFileSync } from 'node:fs';
import { builtIn } from './api/kinds/table.ts';
import { usage as ofApi } from './api/options.ts';
import { usage as ofGateway } from './gateway/options.ts';
import { honoured } from './gateway/routing/annotations.ts';
import { usage as ofNode } from './node/options.ts';

const readme = readFileSync(new URL('./README.md', import.meta.url), 'utf8');
const optionsIn = (text: string): Set<string> => new Set(text.match(/(?<![\w-])--[a-z][a-z-]+/g));

describe('the README says what the code does', () => {
  test('every option of every part stands in a table, and no other', () => {
    const tables = readme.split('\n').filter((line) => line.startsWith('| `--'));
    const described = optionsIn(tables.join('\n'));
    const elsewhere = ['--kubeconfig', '--help', '--conditions'];
    const own = [...optionsIn([ofApi, ofNode, ofGateway].join('\n'))].filter((name) => !elsewhere.includes(name));
    expect([...described].toSorted()).toEqual(own.toSorted());
  });

  test('every resource is named', () => {
    const served = readme.slice(readme.indexOf('## What it serves'), readme.indexOf('## What is left out'));
    const words = served.toLowerCase();
    // "and their cluster-wide kin"
    const missing = builtIn
      .map(({ plural }) => plural.replace(/^cluster(?=role)/, ''))
      .filter((name) => !words.includes(name));
    expect(missing).toEqual([]);
  });

  test('every annotation that the gateway honours is named, and no other', () => {
    const gateway = readme.slice(readme.indexOf('## What the gateway does'), readme.indexOf('## What it serves'));
    const described = [...gateway.matchAll(/`([a-z]+(?:-[a-z]+)*)`/g)].map(([, name]) => name as string);
    expect(new Set(described)).toEqual(new Set(honoured));
  });
});
