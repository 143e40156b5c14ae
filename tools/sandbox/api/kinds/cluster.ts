import type { Json, KubeObject } from '../json.ts';
import { age, nameColumn } from './columns.ts';
import type { Strategy } from './strategy.ts';

export const namespaces: Strategy = {
  name: 'label',
  defaults(draft) {
    draft.spec ??= {};
    draft.status ??= {};
    // The label that selects a namespace by its name is the server's own.
    if (draft.metadata.name) {
      draft.metadata.labels = { ...draft.metadata.labels, 'kubernetes.io/metadata.name': draft.metadata.name };
    }
  },
  onCreate(draft) {
    draft.spec.finalizers = ['kubernetes'];
    draft.status = { phase: 'Active' };
  },
  fields: { 'status.phase': (o) => o.status?.phase ?? '' },
  returnsDeleted: true,
  columns: [nameColumn, { name: 'Status', type: 'string', value: (o) => o['status']?.phase ?? '' }, age],
};

const readyText = (o: KubeObject): string => {
  const condition = (o['status']?.conditions ?? []).find((c: Json) => c.type === 'Ready');
  const ready = !condition ? 'Unknown' : condition.status === 'True' ? 'Ready' : 'NotReady';
  return o['spec']?.unschedulable ? `${ready},SchedulingDisabled` : ready;
};

const address = (o: KubeObject, type: string): string =>
  (o['status']?.addresses ?? []).find((a: Json) => a.type === type)?.address ?? '<none>';

const rolesOf = (o: KubeObject): string => {
  const found = Object.keys(o.metadata.labels ?? {})
    .filter((key) => key.startsWith('node-role.kubernetes.io/'))
    .map((key) => key.slice('node-role.kubernetes.io/'.length))
    .sort();
  return found.join(',') || '<none>';
};

const info = (o: KubeObject, key: string): string => o['status']?.nodeInfo?.[key] || '<unknown>';

export const nodes: Strategy = {
  defaults(draft) {
    draft.spec ??= {};
    draft.status ??= {};
  },
  fields: { 'spec.unschedulable': (o) => String(o.spec?.unschedulable ?? false) },
  columns: [
    nameColumn,
    { name: 'Status', type: 'string', value: readyText },
    { name: 'Roles', type: 'string', value: rolesOf },
    age,
    { name: 'Version', type: 'string', value: (o) => o['status']?.nodeInfo?.kubeletVersion ?? '' },
    { name: 'Internal-IP', type: 'string', priority: 1, value: (o) => address(o, 'InternalIP') },
    { name: 'External-IP', type: 'string', priority: 1, value: (o) => address(o, 'ExternalIP') },
    { name: 'OS-Image', type: 'string', priority: 1, value: (o) => info(o, 'osImage') },
    { name: 'Kernel-Version', type: 'string', priority: 1, value: (o) => info(o, 'kernelVersion') },
    { name: 'Container-Runtime', type: 'string', priority: 1, value: (o) => info(o, 'containerRuntimeVersion') },
  ],
};

export const serviceAccounts: Strategy = {
  returnsDeleted: true,
  columns: [nameColumn, { name: 'Secrets', type: 'string', value: (o) => (o['secrets'] ?? []).length }, age],
};
