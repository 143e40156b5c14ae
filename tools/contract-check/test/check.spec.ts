import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ordersApi } from '@keelson/contracts';
import { checkDocuments, writeDocuments } from '../src/check.ts';
import { publishedDocuments } from '../src/documents.ts';
import { checkProblemPages } from '../src/problem-pages.ts';
import { fileAt, ROOT } from '../src/repository.ts';

let root: string;
const git = (...command: string[]): string =>
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...command], {
    cwd: root,
    encoding: 'utf8',
  });

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'keelson-contracts-'));
  git('init', '-q');
  await writeDocuments(publishedDocuments(), root);
  git('add', '.');
  git('commit', '-qm', 'published');
});
afterEach(() => rmSync(root, { recursive: true }));

const { cancelOrder: _, ...withoutCancel } = ordersApi.endpoints;
const smaller = publishedDocuments([{ ...ordersApi, endpoints: withoutCancel }], {});
const larger = publishedDocuments([
  {
    ...ordersApi,
    endpoints: {
      ...ordersApi.endpoints,
      ping: { method: 'GET', path: '/v1/ping', scope: null, summary: 'x', status: 204 },
    },
  },
]);

const problemsOf = async (documents: typeof smaller, against?: string): Promise<string[]> =>
  (await checkDocuments(documents, root, against)).flatMap(({ problems }) => problems);

test('finds nothing where nothing changed', async () => {
  expect(await problemsOf(publishedDocuments())).toEqual([]);
  expect(await problemsOf(publishedDocuments(), 'HEAD')).toEqual([]);
});

test('a contract that changed without its document fails, and says how to mend it', async () => {
  expect(await problemsOf(larger)).toEqual([expect.stringMatching(/^differs from the contracts; run .* --write/)]);
  await writeDocuments(larger, root);
  expect(await problemsOf(larger)).toEqual([]);
  expect(await problemsOf(larger, 'HEAD')).toEqual([]);
});

test('a break is found against the commit also after the document was written', async () => {
  expect((await problemsOf(smaller)).filter((text) => text.startsWith('BREAKING '))).toContain(
    'BREAKING POST /v1/orders/{id}/cancel: the operation was removed',
  );
  await writeDocuments(smaller, root);
  expect(await problemsOf(smaller)).toEqual([]);
  const problems = await problemsOf(smaller, 'HEAD');
  expect(problems).toContain('BREAKING POST /v1/orders/{id}/cancel: the operation was removed');
  expect(problems).toContain('BREAKING message order.accepted.v1: was removed');
});

test('a document that was not published before breaks nothing', async () => {
  const added = publishedDocuments([{ ...ordersApi, service: 'brand-new' }], {}).slice(0, 1);
  await writeDocuments(added, root);
  expect(await problemsOf(added, 'HEAD')).toEqual([]);
});

test('a commit that git does not know is an error, not an empty base', () => {
  expect(() => fileAt('no-such-branch', 'x', root)).toThrow('git knows no commit "no-such-branch"');
});

test('problem pages are compared with the table both ways', () => {
  const folder = join(root, 'problems');
  mkdirSync(folder);
  writeFileSync(join(folder, 'left-over.md'), '# What was once\n');
  const apis = [{ ...ordersApi, problems: { 'out-of-stock': { status: 409, title: 'Nothing left' } } }];
  expect(checkProblemPages(apis, folder, false)).toEqual(
    expect.arrayContaining([
      'left-over.md: no contract knows this problem',
      'out-of-stock.md: is missing',
      'internal.md: is missing',
    ]),
  );
  checkProblemPages(apis, folder, true);
  const page = join(folder, 'out-of-stock.md');
  expect(readFileSync(page, 'utf8')).toMatch(
    /^# Nothing left\n\n- type: `https:\/\/keelson\.dev\/problems\/out-of-stock`\n- status: 409\n/,
  );
  expect(checkProblemPages(apis, folder, false)).toContain(
    'out-of-stock.md: says neither why it happens nor what to do',
  );
  writeFileSync(
    page,
    `${readFileSync(page, 'utf8').replace('409', '410')}\n## Why it happens\n\nx\n\n## What to do\n\ny\n`,
  );
  expect(checkProblemPages(apis, folder, false)).toContain('out-of-stock.md: its head differs from the table');
  checkProblemPages(apis, folder, true);
  expect(readFileSync(page, 'utf8')).toMatch(/- status: 409\n[^]*\n\n## Why it happens\n\nx\n\n## What to do\n\ny\n$/);
  expect(checkProblemPages(apis, folder, false).filter((text) => text.startsWith('out-of-stock'))).toEqual([]);
});

describe('the command', () => {
  const run = (...options: string[]) => {
    const { NODE_OPTIONS: _options, ...env } = process.env;
    const command = ['--conditions=keelson-source', 'tools/contract-check/main.ts', ...options];
    return spawnSync(process.execPath, command, { cwd: ROOT, encoding: 'utf8', env });
  };

  test('without an order it tells its usage and exits with 2', () => {
    const { status, stderr } = run();
    expect([status, stderr]).toEqual([2, expect.stringContaining('Usage:')]);
  });

  test('the committed documents and problem pages are those of the contracts', () => {
    const { status, stdout } = run('--check');
    expect(stdout.trim()).toMatch(/^contracts: \d+ documents are up to date and break nothing$/);
    expect(status).toBe(0);
  });
});
