import type { Cluster } from '../core/cluster.ts';
import type { Json, KubeObject } from '../json.ts';
import type { User } from './tokens.ts';

/** What somebody wants to do, as the authorizer sees it. */
export interface Attempt {
  verb: string;
  group?: string;
  resource?: string;
  subresource?: string;
  name?: string;
  namespace?: string;
  /** A path that is no resource (`/healthz`). */
  path?: string;
}

export interface Verdict {
  allowed: boolean;
  reason: string;
}

const has = (list: string[] | undefined, value: string): boolean =>
  list?.some((x) => x === '*' || x === value) ?? false;

/** Whether one PolicyRule grants the attempt. */
export function grants(rule: Json, attempt: Attempt): boolean {
  if (!has(rule.verbs, attempt.verb)) return false;
  if (attempt.path !== undefined) {
    const { path } = attempt;
    return (rule.nonResourceURLs ?? []).some((url: string) =>
      url.endsWith('*') ? path.startsWith(url.slice(0, -1)) : url === path,
    );
  }
  const resource = attempt.subresource ? `${attempt.resource}/${attempt.subresource}` : (attempt.resource ?? '');
  const covered = (rule.resources ?? []).some(
    (r: string) => r === '*' || r === resource || (attempt.subresource && r === `*/${attempt.subresource}`),
  );
  if (!has(rule.apiGroups, attempt.group ?? '') || !covered) return false;
  return !rule.resourceNames?.length || rule.resourceNames.includes(attempt.name);
}

function isSubject(subject: Json, user: User, bindingNamespace: string | undefined): boolean {
  if (subject.kind === 'User') return subject.name === user.name;
  if (subject.kind === 'Group') return user.groups.includes(subject.name);
  return user.name === `system:serviceaccount:${subject.namespace ?? bindingNamespace}:${subject.name}`;
}

const collections = {
  Role: 'rbac.authorization.k8s.io/roles',
  ClusterRole: 'rbac.authorization.k8s.io/clusterroles',
  roleBindings: 'rbac.authorization.k8s.io/rolebindings',
  clusterRoleBindings: 'rbac.authorization.k8s.io/clusterrolebindings',
} as const;

/** Evaluates the cluster's Roles, ClusterRoles and their bindings; members of system:masters may do everything. */
export function authorize(cluster: Cluster, user: User, attempt: Attempt): Verdict {
  if (user.groups.includes('system:masters')) return { allowed: true, reason: '' };
  const bindings: KubeObject[] = [
    ...cluster.store.collection(collections.clusterRoleBindings).list(),
    ...(attempt.namespace ? cluster.store.collection(collections.roleBindings).list(attempt.namespace) : []),
  ];
  for (const binding of bindings) {
    const { namespace, name } = binding.metadata;
    const subjects: Json[] = binding['subjects'] ?? [];
    const subject = subjects.find((s) => isSubject(s, user, namespace));
    if (!subject) continue;
    const ref = binding['roleRef'] as { kind: 'Role' | 'ClusterRole'; name: string };
    const role = cluster.find(collections[ref.kind], ref.kind === 'Role' ? namespace : undefined, ref.name);
    if ((role?.['rules'] ?? []).some((rule: Json) => grants(rule, attempt))) {
      const kind = namespace ? 'RoleBinding' : 'ClusterRoleBinding';
      const where = namespace ? `${name}/${namespace}` : name;
      const whom = `${subject.kind} ${JSON.stringify(subject.kind === 'ServiceAccount' ? `${subject.name}/${subject.namespace}` : subject.name)}`;
      return {
        allowed: true,
        reason: `RBAC: allowed by ${kind} ${JSON.stringify(where)} of ${ref.kind} ${JSON.stringify(ref.name)} to ${whom}`,
      };
    }
  }
  return { allowed: false, reason: '' };
}

/** The sentence that a refused request ends with. */
export function refusal(user: User, attempt: Attempt): string {
  if (attempt.path !== undefined)
    return `User ${JSON.stringify(user.name)} cannot ${attempt.verb} path ${JSON.stringify(attempt.path)}`;
  const resource = attempt.subresource ? `${attempt.resource}/${attempt.subresource}` : attempt.resource;
  const where = attempt.namespace ? ` in the namespace ${JSON.stringify(attempt.namespace)}` : ' at the cluster scope';
  return `User ${JSON.stringify(user.name)} cannot ${attempt.verb} resource ${JSON.stringify(resource)} in API group ${JSON.stringify(attempt.group ?? '')}${where}`;
}
