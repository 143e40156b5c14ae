import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { checkDocuments, writeDocuments } from './src/check.ts';
import { apis, publishedDocuments } from './src/documents.ts';
import { checkProblemPages } from './src/problem-pages.ts';
import { ROOT } from './src/repository.ts';

const USAGE = `Usage: node --conditions=keelson-source tools/contract-check/main.ts --check [--against COMMIT] | --write

--write    make libs/contracts/published and the heads of docs/problems from the contracts
--check    fail where these differ from the contracts, or where a change breaks what was published:
           against the committed files, or against those of COMMIT (in a pull request: the branch it goes to)
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      write: { type: 'boolean' },
      check: { type: 'boolean' },
      against: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true || (values.write === true) === (values.check === true)) {
    (values.help === true ? process.stdout : process.stderr).write(USAGE);
    return values.help === true ? 0 : 2;
  }
  const documents = publishedDocuments();
  const problemPages = join(ROOT, 'docs/problems');
  if (values.write === true) {
    // Said before it is overwritten, because afterwards the files no longer tell.
    report(await checkDocuments(documents, ROOT, values.against), 'BREAKING ');
    for (const path of await writeDocuments(documents, ROOT)) console.log(`wrote ${path}`);
    for (const fault of checkProblemPages(apis, problemPages, true)) console.log(`docs/problems/${fault}`);
    return 0;
  }
  const faults = report(await checkDocuments(documents, ROOT, values.against), '');
  const pages = checkProblemPages(apis, problemPages, false);
  for (const fault of pages) console.log(`docs/problems/${fault}`);
  const total = faults + pages.length;
  console.log(
    total === 0
      ? `contracts: ${documents.length} documents are up to date and break nothing`
      : `contracts: ${total} ${total === 1 ? 'fault' : 'faults'}. What breaks others needs a new version (/v2/..., <name>.v2) beside the old one.`,
  );
  return total === 0 ? 0 : 1;
}

/** Prints findings; counts the problems that begin with `prefix`. */
function report(findings: Awaited<ReturnType<typeof checkDocuments>>, prefix: string): number {
  let count = 0;
  for (const { path, problems, notices } of findings) {
    for (const problem of problems.filter((text) => text.startsWith(prefix))) {
      console.log(`${path}: ${problem}`);
      count++;
    }
    for (const text of notices) console.log(`${path}: note: ${text}`);
  }
  return count;
}

process.exitCode = await main();
