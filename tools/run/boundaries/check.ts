import { importsOf, sourceFiles } from './imports.ts';
import { projectsOf, rootPackages } from './projects.ts';
import { check, circle, isTest, type Violation } from './rules.ts';

export interface BoundariesReport {
  projects: number;
  imports: number;
  violations: Violation[];
}

/** Holds every import of the workspace at `root` against the module boundaries, and looks for circles of projects. */
export function checkBoundaries(root: string): BoundariesReport {
  const workspace = { projects: projectsOf(root), rootPackages: rootPackages(root) };
  const byPackage = new Map(workspace.projects.map((project) => [project.packageName, project]));
  const violations: Violation[] = [];
  const edges = new Map<string, Set<string>>();
  let count = 0;
  for (const project of workspace.projects) {
    const targets = new Set<string>();
    edges.set(project.folder, targets);
    for (const file of sourceFiles(root, project.folder)) {
      for (const found of importsOf(root, file)) {
        count++;
        const violation = check(workspace, found);
        if (violation !== undefined) violations.push(violation);
        const target = byPackage.get(found.specifier.split('/').slice(0, 2).join('/'));
        if (target !== undefined && target !== project && !isTest(file)) targets.add(target.folder);
      }
    }
  }
  const found = circle(edges);
  if (found !== undefined) {
    violations.push({
      file: `${found[0]}/package.json`,
      line: 1,
      text: `these projects import each other in a circle: ${found.join(' -> ')}`,
    });
  }
  return { projects: workspace.projects.length, imports: count, violations };
}
