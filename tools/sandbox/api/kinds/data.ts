import { type FieldError, forbiddenField, invalid, required } from '../http/status.ts';
import { type Json, equal } from '../json.ts';
import { age, nameColumn } from './columns.ts';
import type { Strategy } from './strategy.ts';

const keyPattern = /^[-._a-zA-Z0-9]+$/;
const keyText =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

const keyErrors = (data: Json, path: string): FieldError[] =>
  Object.keys(data ?? {})
    .filter((key) => !keyPattern.test(key))
    .map((key) => invalid(`${path}[${key}]`, key, keyText));

function immutability(object: Json, old: Json, fields: string[]): FieldError[] {
  if (!old.immutable) return [];
  const errors = fields
    .filter((field) => !equal(object[field], old[field]))
    .map((field) => forbiddenField(field, 'field is immutable when `immutable` is set'));
  if (!object.immutable) errors.unshift(forbiddenField('immutable', 'field is immutable when `immutable` is set'));
  return errors;
}

const count = (data: Json): number => Object.keys(data ?? {}).length;

export const configMaps: Strategy = {
  validate: (o) => [...keyErrors(o.data, 'data'), ...keyErrors(o.binaryData, 'binaryData')],
  validateUpdate: (o, old) => immutability(o, old, ['data', 'binaryData']),
  columns: [nameColumn, { name: 'Data', type: 'string', value: (o) => count(o['data']) + count(o['binaryData']) }, age],
};

/** The keys that a typed Secret must have. */
const requiredKeys: Record<string, string[]> = {
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
};

export const secrets: Strategy = {
  defaults(draft) {
    draft.type ??= 'Opaque';
    if (draft.stringData) {
      draft.data = { ...draft.data };
      for (const [key, value] of Object.entries(draft.stringData)) {
        draft.data[key] = Buffer.from(String(value)).toString('base64');
      }
      delete draft.stringData;
    }
  },
  validate(o) {
    const missing = (requiredKeys[o.type] ?? []).filter((key) => o.data?.[key] === undefined);
    return [...keyErrors(o.data, 'data'), ...missing.map((key) => required(`data[${key}]`))];
  },
  validateUpdate: (o, old) => [
    ...(o.type === old.type ? [] : [invalid('type', o.type, 'field is immutable')]),
    ...immutability(o, old, ['data']),
  ],
  fields: { type: (o) => o.type },
  columns: [
    nameColumn,
    { name: 'Type', type: 'string', value: (o) => o['type'] },
    { name: 'Data', type: 'string', value: (o) => count(o['data']) },
    age,
  ],
};
