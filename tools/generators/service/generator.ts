import { formatFiles, generateFiles, logger, readJson, writeJson, type Tree } from '@nx/devkit';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { insert } from './insert.ts';
import { namesOf, type Names, type ServiceOptions } from './names.ts';

/**
 * `nx g @keelson/tools:service NAME`: contracts, a service with its database, tests and a page, and the places where the
 * rest of the workspace names its services. What it writes passes lint, type check, boundaries and contract check as it is.
 * Returns what is done once the files are on disk. Throws an Error that says what is in the way.
 */
export default async function serviceGenerator(tree: Tree, options: ServiceOptions): Promise<() => void> {
  const names = namesOf(options);
  refuseTaken(tree, names);
  const files = join(import.meta.dirname, 'files');
  generateFiles(tree, join(files, 'app'), `apps/${names.name}`, { ...names, dot: '.' });
  generateFiles(tree, join(files, 'contracts'), `libs/contracts/src/${names.name}`, names);
  generateFiles(tree, join(files, 'docs'), `docs/${names.name}`, names);
  nameInContracts(tree, names);
  nameInLockFile(tree, names);
  await formatFiles(tree);
  return () => afterwards(tree.root, names);
}

function refuseTaken(tree: Tree, { name, plural, area }: Names): void {
  for (const folder of [`apps/${name}`, `libs/contracts/src/${name}`, `docs/${name}`])
    if (tree.exists(folder)) throw new Error(`${folder} is there already: choose another name`);
  if (text(tree, 'libs/contracts/src/scopes.ts').includes(`'${plural}:`))
    throw new Error(`there are scopes for ${plural} already: choose another --resource or --plural`);
  if (new RegExp(`\\b${area}Api\\b`).test(text(tree, CHECKED)))
    throw new Error(`there is a contract ${area}Api already: choose another name`);
}

const CHECKED = 'tools/contract-check/src/documents.ts';

/** The four lists that a new contract has to stand in. */
function nameInContracts(tree: Tree, { name, area, plural }: Names): void {
  const change = (path: string, edit: (source: string) => string): void => tree.write(path, edit(text(tree, path)));
  change('libs/contracts/src/index.ts', (source) => `${source.trimEnd()}\nexport * from './${name}/index.ts';\n`);
  change('libs/contracts/src/scopes.ts', (source) =>
    insert(source, { before: '] as const;', text: `  '${plural}:read',\n  '${plural}:write',\n` }),
  );
  change('libs/contracts/src/catalogue.ts', (source) =>
    insert(
      insert(source, { before: '\n/** Name of the one', text: `import * as ${area} from './${name}/messages.ts';\n` }),
      {
        after: 'const definitions = [\n',
        text: `  ...Object.values(${area}),\n`,
      },
    ),
  );
  change(CHECKED, (source) =>
    insert(insert(source, { before: "} from '@keelson/contracts';", text: `  ${area}Api,\n` }), {
      after: 'readonly Api[] = [',
      text: `${area}Api, `,
    }),
  );
}

interface Lock {
  packages: Record<string, object>;
}

/** `npm ci` refuses a lock file that does not know every workspace. All its packages are there already, for order-demo. */
function nameInLockFile(tree: Tree, { name }: Names): void {
  const manifest = readJson<Record<string, unknown>>(tree, `apps/${name}/package.json`);
  const lock = readJson<Lock>(tree, 'package-lock.json');
  const { version, license, dependencies, devDependencies } = manifest;
  const { '': root, ...rest } = lock.packages;
  const added: Record<string, object> = {
    ...rest,
    [`apps/${name}`]: { name: `@keelson/${name}`, version, license, dependencies, devDependencies },
    [`node_modules/@keelson/${name}`]: { resolved: `apps/${name}`, link: true },
  };
  const sorted = Object.entries(added).toSorted(([a], [b]) => a.localeCompare(b, 'en'));
  writeJson(tree, 'package-lock.json', { ...lock, packages: { '': root, ...Object.fromEntries(sorted) } });
}

/** On disk: the link that npm would make, and the documents that are made from the contracts. */
function afterwards(root: string, { name }: Names): void {
  const links = join(root, 'node_modules/@keelson');
  mkdirSync(links, { recursive: true });
  if (!readdirSync(links).includes(name)) symlinkSync(`../../apps/${name}`, join(links, name));
  const node = join(root, 'node_modules/.bin/node');
  const flags = ['--conditions=keelson-source', '--disable-warning=ExperimentalWarning'];
  execFileSync(node, [...flags, 'tools/contract-check/main.ts', '--write'], {
    cwd: root,
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: 'inherit',
  });
  logger.info(`
apps/${name} is ready: npm test -- apps/${name}, npm run lint.
Next: say in libs/contracts/src/${name} what it holds and publishes, then the same in its database, tests and docs/${name};
a line in tools/stack/services/services.ts has npm start bring it up.`);
}

function text(tree: Tree, path: string): string {
  const content = tree.read(path, 'utf8');
  if (content === null) throw new Error(`${path} is not there: is this the root of the workspace?`);
  return content;
}
