import { type FieldError, invalid, required } from '../http/status.ts';
import { type Json } from '../json.ts';

export function defaultCrd(draft: Json): void {
  const { spec } = draft;
  if (!spec) return;
  spec.conversion ??= { strategy: 'None' };
  spec.names ??= {};
  spec.names.singular ||= String(spec.names.kind ?? '').toLowerCase();
  spec.names.listKind ||= `${spec.names.kind}List`;
}

export function crdErrors({ spec, metadata }: Json): FieldError[] {
  if (!spec?.group) return [required('spec.group')];
  const expected = `${spec.names?.plural}.${spec.group}`;
  return metadata.name === expected
    ? []
    : [invalid('metadata.name', metadata.name, `must be spec.names.plural+"."+spec.group`)];
}
