import { type FieldError, invalid, required } from '../http/status.ts';
import { type Json, type KubeObject, equal } from '../json.ts';
import { age, createdAt, nameColumn } from './columns.ts';
import type { Strategy } from './strategy.ts';

const ruleErrors = (o: Json): FieldError[] =>
  (o.rules ?? []).flatMap((rule: Json, i: number) => {
    if (!rule.verbs?.length) return [required(`rules[${i}].verbs`, 'verbs must contain at least one value')];
    if (rule.nonResourceURLs?.length) return [];
    return [
      ...(rule.apiGroups?.length
        ? []
        : [required(`rules[${i}].apiGroups`, 'resource rules must supply at least one api group')]),
      ...(rule.resources?.length
        ? []
        : [required(`rules[${i}].resources`, 'resource rules must supply at least one resource')]),
    ];
  });

export const roles: Strategy = {
  name: 'path-segment',
  defaults: (draft) => void (draft.rules ??= null),
  validate: ruleErrors,
  columns: [nameColumn, createdAt],
};
export const clusterRoles = roles;

const subjects = (o: KubeObject, kind: string): string =>
  ((o['subjects'] ?? []) as Json[])
    .filter((s) => s.kind === kind)
    .map((s) => (s.namespace ? `${s.namespace}/${s.name}` : s.name))
    .join(', ');

export const roleBindings: Strategy = {
  name: 'path-segment',
  defaults(draft) {
    if (draft.roleRef) draft.roleRef.apiGroup ||= 'rbac.authorization.k8s.io';
    for (const subject of draft.subjects ?? []) {
      if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup ||= 'rbac.authorization.k8s.io';
    }
  },
  validate: (o) => [
    ...(o.roleRef?.name ? [] : [required('roleRef.name')]),
    ...(o.subjects ?? []).flatMap((s: Json, i: number) => (s.name ? [] : [required(`subjects[${i}].name`)])),
  ],
  validateUpdate: (o, old) =>
    equal(o.roleRef, old.roleRef) ? [] : [invalid('roleRef', o.roleRef, 'cannot change roleRef')],
  columns: [
    nameColumn,
    { name: 'Role', type: 'string', value: (o) => `${o['roleRef'].kind}/${o['roleRef'].name}` },
    age,
    { name: 'Users', type: 'string', priority: 1, value: (o) => subjects(o, 'User') },
    { name: 'Groups', type: 'string', priority: 1, value: (o) => subjects(o, 'Group') },
    { name: 'ServiceAccounts', type: 'string', priority: 1, value: (o) => subjects(o, 'ServiceAccount') },
  ],
};
export const clusterRoleBindings = roleBindings;
