import type { PathType } from '../kubernetes-objects.ts';

/**
 * Whether a rule's path takes a request path. Exact: equal. Prefix: element by element, a trailing slash does not
 * count (Kubernetes, "Path types"). ImplementationSpecific: a plain prefix of characters, as nginx's `location`.
 */
export function pathMatches(type: PathType, rule: string, path: string): boolean {
  switch (type) {
    case 'Exact':
      return path === rule;
    case 'Prefix': {
      const prefix = rule.endsWith('/') ? rule.slice(0, -1) : rule;
      return path === prefix || path.startsWith(`${prefix}/`) || (prefix === '' && path.startsWith('/'));
    }
    case 'ImplementationSpecific':
      return path.startsWith(rule);
  }
}

const rank: Record<PathType, number> = { Exact: 0, Prefix: 1, ImplementationSpecific: 2 };

/** The longest path first; of equal length Exact before Prefix before ImplementationSpecific. */
export function byPrecedence(a: { path: string; pathType: PathType }, b: { path: string; pathType: PathType }): number {
  return b.path.length - a.path.length || rank[a.pathType] - rank[b.pathType];
}

/**
 * The path that rules are matched against, as nginx normalises it: percent-decoded, `.` and `..` resolved, slashes
 * merged, without the query. Undefined when it cannot be decoded or leaves the root (nginx: 400). What is sent on is
 * the target as it came.
 */
export function normalisePath(target: string): string | undefined {
  const end = target.search(/[?#]/);
  const raw = end === -1 ? target : target.slice(0, end);
  if (!raw.includes('%') && !raw.includes('//') && !raw.includes('/.')) return raw;
  let decoded: string;
  try {
    decoded = decodeURIComponent(raw);
  } catch {
    // Not UTF-8: nginx would take the bytes; a rule of the API cannot name such a path anyway.
    return undefined;
  }
  if (decoded.includes('\0')) return undefined;
  const parts: string[] = [];
  for (const part of decoded.split('/').slice(1)) {
    if (part === '..') {
      if (parts.length === 0) return undefined;
      parts.pop();
    } else if (part !== '' && part !== '.') {
      parts.push(part);
    }
  }
  const slash = parts.length > 0 && /\/\.{0,2}$/.test(decoded) ? '/' : '';
  return `/${parts.join('/')}${slash}`;
}
