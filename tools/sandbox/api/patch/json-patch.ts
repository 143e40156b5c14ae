import { ApiError, badRequest } from '../http/status.ts';
import { type Json, clone, equal, isObject } from '../json.ts';

interface Operation {
  op: string;
  path: string;
  from?: string;
  value?: Json;
}

const refused = (message: string): ApiError => new ApiError(422, 'Invalid', message, {});

/** Applies an RFC 6902 patch to a copy of `document`. Throws 400 for a malformed patch, 422 for one that does not fit. */
export function jsonPatch(document: Json, operations: Json): Json {
  if (!Array.isArray(operations))
    throw badRequest(
      'error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp',
    );
  let root = clone(document);
  for (const operation of operations) {
    const { path, from = '' } = isObject(operation) ? operation : {};
    if (typeof path !== 'string' || typeof from !== 'string') throw missing();
    root = step(root, operation as Operation);
  }
  return root;
}

function step(root: Json, { op, path, from, value }: Operation): Json {
  switch (op) {
    case 'test':
      if (!equal(lookup(root, path, true), value))
        throw refused(`the server rejected our request due to an error in our request`);
      return root;
    case 'add':
      return edit(root, path, (parent, key) => insert(parent, key, value), value);
    case 'replace':
      lookup(root, path);
      return edit(root, path, (parent, key) => void (parent[key] = value), value);
    case 'remove':
      lookup(root, path);
      return edit(root, path, remove, undefined);
    case 'copy':
      return step(root, { op: 'add', path, value: clone(lookup(root, from ?? '')) });
    case 'move': {
      const moved = lookup(root, from ?? '');
      return step(step(root, { op: 'remove', path: from ?? '' }), { op: 'add', path, value: moved });
    }
    default:
      throw refused(`the server rejected our request due to an error in our request`);
  }
}

const tokens = (path: string): string[] =>
  path
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));

const missing = (): ApiError => refused('the server rejected our request due to an error in our request');

function lookup(root: Json, path: string, lenient = false): Json {
  let node = root;
  for (const token of tokens(path)) {
    node = Array.isArray(node) || isObject(node) ? (node as Record<string, Json>)[token] : undefined;
    if (node === undefined && !lenient) throw missing();
  }
  return node;
}

function edit(root: Json, path: string, change: (parent: Json, key: string) => void, whole: Json): Json {
  const all = tokens(path);
  const last = all.pop();
  if (last === undefined) return whole;
  const parent = lookup(root, ['', ...all.map((t) => t.replaceAll('~', '~0').replaceAll('/', '~1'))].join('/'));
  if (!Array.isArray(parent) && !isObject(parent)) throw missing();
  change(parent, last);
  return root;
}

function insert(parent: Json, key: string, value: Json): void {
  if (!Array.isArray(parent)) parent[key] = value;
  else if (key === '-') parent.push(value);
  else if (/^\d+$/.test(key) && Number(key) <= parent.length) parent.splice(Number(key), 0, value);
  else throw missing();
}

function remove(parent: Json, key: string): void {
  if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else delete parent[key];
}
