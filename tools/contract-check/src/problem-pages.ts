import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Api, generalProblems, PROBLEM_BASE, type ProblemKind } from '@keelson/contracts';

/** A problem with the services that answer it; none stands for all. */
interface DocumentedProblem extends ProblemKind {
  readonly services: readonly string[];
}

/** Every problem of the platform: the general ones and those of each contract. */
export function allProblems(apis: readonly Api[]): ReadonlyMap<string, DocumentedProblem> {
  const problems = new Map<string, DocumentedProblem>();
  for (const [code, kind] of Object.entries(generalProblems)) problems.set(code, { ...kind, services: [] });
  for (const api of apis) {
    for (const [code, kind] of Object.entries(api.problems ?? {})) {
      const present = problems.get(code);
      if (present !== undefined && (present.status !== kind.status || present.title !== kind.title)) {
        throw new Error(`${api.service} gives the problem "${code}" another meaning than it has already`);
      }
      problems.set(code, { ...kind, services: [...(present?.services ?? []), api.service] });
    }
  }
  return problems;
}

/** The head of a problem's page, which comes from the table; what a person wrote follows after it. */
export function headOf(code: string, { status, title, services }: DocumentedProblem): string {
  const who = services.length === 0 ? 'every service' : services.join(', ');
  return `# ${title}\n\n- type: \`${PROBLEM_BASE}${code}\`\n- status: ${status}\n- answered by: ${who}\n`;
}

/** Compares table and pages both ways; `write` mends the heads. After the head a page says why it happens and what to do. */
export function checkProblemPages(apis: readonly Api[], folder: string, write: boolean): string[] {
  const problems = allProblems(apis);
  const faults: string[] = [];
  const pages = readdirSync(folder).filter((name) => name.endsWith('.md') && name !== 'README.md');
  for (const page of pages) {
    if (!problems.has(page.replace(/\.md$/, ''))) faults.push(`${page}: no contract knows this problem`);
  }
  for (const [code, kind] of problems) {
    const page = `${code}.md`;
    const text = pages.includes(page) ? readFileSync(join(folder, page), 'utf8') : '';
    const head = headOf(code, kind);
    const rest = text.includes('\n## ') ? text.slice(text.indexOf('\n## ') + 1) : '';
    if (write && !text.startsWith(head)) writeFileSync(join(folder, page), `${head}${rest === '' ? '' : `\n${rest}`}`);
    else if (!text.startsWith(head))
      faults.push(`${page}: ${text === '' ? 'is missing' : 'its head differs from the table'}`);
    if (!rest.includes('\n## What to do\n')) faults.push(`${page}: says neither why it happens nor what to do`);
  }
  return faults;
}
