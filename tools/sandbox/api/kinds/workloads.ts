import { type FieldError, invalid, notSupported, required } from '../http/status.ts';
import { type Json, type KubeObject, equal } from '../json.ts';
import { matchesLabelSelector } from '../store/selectors.ts';
import { age, nameColumn } from './columns.ts';
import { labelErrors } from './names.ts';
import { defaultPodSpec, podSpecErrors } from './pod-spec.ts';
import { type Column, type Strategy, specGeneration } from './strategy.ts';

function defaultTemplate(spec: Json): void {
  spec.template ??= {};
  spec.template.metadata ??= {};
  spec.template.spec ??= {};
  defaultPodSpec(spec.template.spec);
}

function commonErrors(spec: Json): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.replicas < 0) errors.push(invalid('spec.replicas', spec.replicas, 'must be greater than or equal to 0'));
  if (!spec.selector) errors.push(required('spec.selector'));
  else if (!spec.selector.matchLabels && !spec.selector.matchExpressions?.length) {
    errors.push(invalid('spec.selector', spec.selector, 'empty selector is invalid for deployment'));
  }
  const labels = spec.template.metadata.labels ?? {};
  if (!matchesLabelSelector(spec.selector, labels)) {
    errors.push(invalid('spec.template.metadata.labels', labels, '`selector` does not match template `labels`'));
  }
  errors.push(...labelErrors(spec.template.metadata.labels, 'spec.template.metadata.labels'));
  errors.push(...podSpecErrors(spec.template.spec, 'spec.template.spec'));
  if (spec.template.spec.restartPolicy !== 'Always') {
    errors.push(notSupported('spec.template.spec.restartPolicy', spec.template.spec.restartPolicy, ['Always']));
  }
  return errors;
}

const isPercent = (value: Json): boolean => typeof value === 'string' && /^\d+%$/.test(value);

function shareErrors(value: Json, path: string): FieldError[] {
  if (typeof value === 'number') {
    return value < 0 ? [invalid(path, value, 'must be greater than or equal to 0')] : [];
  }
  return isPercent(value)
    ? []
    : [
        invalid(
          path,
          value,
          "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
        ),
      ];
}

function strategyErrors({ strategy, ...spec }: Json): FieldError[] {
  const errors: FieldError[] = [];
  if (strategy.type === 'Recreate') {
    if (strategy.rollingUpdate) {
      errors.push({
        reason: 'FieldValueForbidden',
        field: 'spec.strategy.rollingUpdate',
        message: "Forbidden: may not be specified when strategy `type` is 'Recreate'",
      });
    }
  } else if (strategy.type === 'RollingUpdate') {
    const { maxSurge, maxUnavailable } = strategy.rollingUpdate;
    errors.push(...shareErrors(maxUnavailable, 'spec.strategy.rollingUpdate.maxUnavailable'));
    errors.push(...shareErrors(maxSurge, 'spec.strategy.rollingUpdate.maxSurge'));
    const none = (value: Json): boolean => Number.parseInt(String(value), 10) === 0;
    if (none(maxSurge) && none(maxUnavailable)) {
      errors.push(
        invalid('spec.strategy.rollingUpdate.maxUnavailable', maxUnavailable, 'may not be 0 when `maxSurge` is 0'),
      );
    }
  } else errors.push(notSupported('spec.strategy.type', strategy.type, ['Recreate', 'RollingUpdate']));
  if (spec.progressDeadlineSeconds <= (spec.minReadySeconds ?? 0)) {
    errors.push(
      invalid('spec.progressDeadlineSeconds', spec.progressDeadlineSeconds, 'must be greater than minReadySeconds'),
    );
  }
  return errors;
}

const immutableSelector = (o: Json, old: Json): FieldError[] =>
  equal(o.spec.selector, old.spec.selector) ? [] : [invalid('spec.selector', o.spec.selector, 'field is immutable')];

const containersOf = (o: KubeObject): Json[] => o['spec'].template.spec.containers ?? [];

const selectorText = (selector: Json): string => {
  const labels = Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => `${key}=${String(value)}`);
  const expressions = (selector?.matchExpressions ?? []).map((e: Json) =>
    e.values?.length
      ? `${e.key} ${String(e.operator).toLowerCase()} (${e.values.join(',')})`
      : e.operator === 'Exists'
        ? e.key
        : `!${e.key}`,
  );
  return [...labels, ...expressions].sort((a, b) => a.localeCompare(b)).join(',') || '<none>';
};

const wide: Column[] = [
  {
    name: 'Containers',
    type: 'string',
    priority: 1,
    value: (o) =>
      containersOf(o)
        .map((c) => c.name)
        .join(','),
  },
  {
    name: 'Images',
    type: 'string',
    priority: 1,
    value: (o) =>
      containersOf(o)
        .map((c) => c.image)
        .join(','),
  },
  { name: 'Selector', type: 'string', priority: 1, value: (o) => selectorText(o['spec'].selector) },
];

export const deployments: Strategy = {
  defaults(draft) {
    draft.spec ??= {};
    draft.status ??= {};
    const { spec } = draft;
    defaultTemplate(spec);
    spec.replicas ??= 1;
    spec.revisionHistoryLimit ??= 10;
    spec.progressDeadlineSeconds ??= 600;
    spec.strategy ??= {};
    spec.strategy.type ||= 'RollingUpdate';
    if (spec.strategy.type === 'RollingUpdate') {
      spec.strategy.rollingUpdate ??= {};
      spec.strategy.rollingUpdate.maxUnavailable ??= '25%';
      spec.strategy.rollingUpdate.maxSurge ??= '25%';
    }
  },
  onCreate: (draft) => void (draft.status = {}),
  validate: (o) => [...commonErrors(o.spec), ...strategyErrors(o.spec)],
  validateUpdate: (o, old) => immutableSelector(o, old),
  generation: specGeneration,
  columns: [
    nameColumn,
    { name: 'Ready', type: 'string', value: (o) => `${o['status'].readyReplicas ?? 0}/${o['spec'].replicas}` },
    { name: 'Up-to-date', type: 'string', value: (o) => o['status'].updatedReplicas ?? 0 },
    { name: 'Available', type: 'string', value: (o) => o['status'].availableReplicas ?? 0 },
    age,
    ...wide,
  ],
};

export const replicaSets: Strategy = {
  defaults(draft) {
    draft.spec ??= {};
    draft.status ??= { replicas: 0 };
    defaultTemplate(draft.spec);
    draft.spec.replicas ??= 1;
  },
  onCreate: (draft) => void (draft.status = { replicas: 0 }),
  validate: (o) => commonErrors(o.spec),
  validateUpdate: (o, old) => immutableSelector(o, old),
  generation: specGeneration,
  fields: { 'status.replicas': (o) => String(o.status?.replicas ?? 0) },
  columns: [
    nameColumn,
    { name: 'Desired', type: 'integer', value: (o) => o['spec'].replicas },
    { name: 'Current', type: 'integer', value: (o) => o['status'].replicas ?? 0 },
    { name: 'Ready', type: 'integer', value: (o) => o['status'].readyReplicas ?? 0 },
    age,
    ...wide,
  ],
};
