import fc from 'fast-check';

import type { JsonObject, KubeObject } from '../json.ts';
import type { Schema } from '../schema/schema.ts';
import { apply, trackUpdate } from './managers.ts';
import { FieldSet, shownPath } from './set.ts';
import { compare, merge, ownedBy } from './walk.ts';

const schema: Schema = {
  type: 'object',
  properties: {
    metadata: { type: 'object', properties: { labels: { type: 'object', additionalProperties: { type: 'string' } } } },
    spec: {
      type: 'object',
      properties: {
        a: { type: 'integer' },
        b: { type: 'string' },
        atomic: { type: 'array', items: { type: 'string' } },
        set: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
        items: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: { type: 'object', properties: { name: { type: 'string' }, value: { type: 'integer' } } },
        },
      },
    },
  },
};

const anObject = (spec: JsonObject): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Thing',
  metadata: { name: 'x', uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' },
  spec,
});

const name = fc.constantFrom('p', 'q', 'r');
const spec = fc.record(
  {
    a: fc.integer({ min: 0, max: 3 }),
    b: fc.constantFrom('x', 'y'),
    atomic: fc.array(name, { maxLength: 3 }),
    set: fc.uniqueArray(name),
    items: fc.uniqueArray(fc.record({ name, value: fc.integer({ min: 0, max: 2 }) }), { selector: (i) => i.name }),
  },
  { requiredKeys: [] },
);
const now = '2026-01-01T00:00:00Z';
const set = (fields: JsonObject): FieldSet => FieldSet.parse(fields);

describe('field sets', () => {
  test('are written as FieldsV1 and read back the same', () => {
    const fields = { 'f:spec': { 'f:a': {}, 'f:items': { '.': {}, 'k:{"name":"p"}': { '.': {}, 'f:value': {} } } } };
    expect(set(fields).toJSON()).toEqual(fields);
  });

  test('are the sets that set algebra makes of them', () => {
    fc.assert(
      fc.property(spec, spec, (left, right) => {
        const a = ownedBy({ spec: left }, schema);
        const b = ownedBy({ spec: right }, schema);
        expect(a.difference(b).union(a.intersection(b)).equals(a)).toBe(true);
        expect(a.difference(b).intersection(b).empty).toBe(true);
        expect(a.union(b).equals(b.union(a))).toBe(true);
      }),
    );
  });

  test('name a path as conflicts do', () => {
    expect(shownPath(['f:spec', 'f:items', 'k:{"name":"p"}', 'f:value'])).toBe('.spec.items[name="p"].value');
    expect(shownPath(['f:spec', 'f:set', 'v:"p"'])).toBe('.spec.set[="p"]');
  });
});

describe('comparing and merging', () => {
  test('finds nothing between an object and itself', () => {
    fc.assert(
      fc.property(spec, (one) => {
        const { added, modified, removed } = compare({ spec: one }, structuredClone({ spec: one }), schema);
        expect([added.empty, modified.empty, removed.empty]).toEqual([true, true, true]);
      }),
    );
  });

  test('merging what is applied gives every applied field its value', () => {
    fc.assert(
      fc.property(spec, spec, (live, applied) => {
        const merged = merge({ spec: live }, { spec: applied }, schema);
        expect(merge(merged, { spec: applied }, schema)).toEqual(merged);
        const lost = ownedBy({ spec: applied }, schema).difference(
          ownedBy(merged, schema).union(compare({}, merged, schema).added),
        );
        expect(lost.paths().filter((path) => path.length > 2)).toEqual([]);
      }),
    );
  });

  test('keeps the order of the live list, and adds what is new behind it', () => {
    const live = {
      spec: {
        items: [
          { name: 'q', value: 1 },
          { name: 'p', value: 1 },
        ],
      },
    };
    const applied = {
      spec: {
        items: [
          { name: 'r', value: 2 },
          { name: 'p', value: 2 },
        ],
      },
    };
    expect(merge(live, applied, schema).spec.items).toEqual([
      { name: 'q', value: 1 },
      { name: 'p', value: 2 },
      { name: 'r', value: 2 },
    ]);
  });
});

describe('applying', () => {
  const as = (manager: string): { manager: string; now: string } => ({ manager, now });
  const applied = (live: KubeObject | undefined, config: JsonObject, manager: string, force = false): KubeObject => {
    const { object, settle } = apply(live, anObject(config), schema, as(manager), { force, ignore: [] });
    return settle(object);
  };

  test('twice in a row changes nothing the second time', () => {
    fc.assert(
      fc.property(spec, spec, (one, two) => {
        const live = applied(applied(undefined, one, 'one'), two, 'two', true);
        expect(applied(live, two, 'two')).toEqual(live);
      }),
    );
  });

  test('by force gives every applied field to the one who forces', () => {
    fc.assert(
      fc.property(spec, spec, (one, two) => {
        const live = applied(applied(undefined, one, 'one'), two, 'two', true);
        const owned = live.metadata.managedFields?.find((m) => m.manager === 'two')?.fieldsV1 ?? {};
        const wanted = ownedBy({ spec: two }, schema);
        expect(
          wanted
            .difference(set(owned))
            .paths()
            .filter((path) => path.length > 1),
        ).toEqual([]);
      }),
    );
  });

  test('of nothing takes back all that only its manager wanted', () => {
    fc.assert(
      fc.property(spec, (one) => {
        const live = applied(undefined, one, 'one');
        expect(applied(live, {}, 'one')['spec'] ?? {}).toEqual({});
      }),
    );
  });

  test('an update moves the fields it changes to who updates', () => {
    const live = applied(undefined, { a: 1, b: 'x' }, 'one');
    const after = trackUpdate(live, { ...live, spec: { a: 2, b: 'x' } }, schema, as('hand'), []);
    expect(after.metadata.managedFields?.map((m) => [m.manager, m.fieldsV1])).toEqual([
      ['one', { 'f:spec': { 'f:b': {} } }],
      ['hand', { 'f:spec': { 'f:a': {} } }],
    ]);
  });
});
