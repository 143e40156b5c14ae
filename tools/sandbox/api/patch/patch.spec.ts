import fc from 'fast-check';

import { jsonPatch } from './json-patch.ts';
import { mergePatch } from './merge-patch.ts';
import { strategicPatch } from './strategic.ts';
import { schemaOf } from '../schema/schema.ts';

const pod = schemaOf('', 'v1', 'Pod');

describe('a JSON patch', () => {
  // The examples of RFC 6902, appendix A.
  test.each([
    {
      title: 'adds a member',
      from: { foo: 'bar' },
      patch: [{ op: 'add', path: '/baz', value: 'qux' }],
      to: { baz: 'qux', foo: 'bar' },
    },
    {
      title: 'adds to a list',
      from: { foo: ['bar', 'baz'] },
      patch: [{ op: 'add', path: '/foo/1', value: 'qux' }],
      to: { foo: ['bar', 'qux', 'baz'] },
    },
    {
      title: 'appends to a list',
      from: { foo: ['bar'] },
      patch: [{ op: 'add', path: '/foo/-', value: 'x' }],
      to: { foo: ['bar', 'x'] },
    },
    {
      title: 'removes from a list',
      from: { foo: ['a', 'b'] },
      patch: [{ op: 'remove', path: '/foo/0' }],
      to: { foo: ['b'] },
    },
    {
      title: 'moves a value',
      from: { foo: { a: 1 }, qux: {} },
      patch: [{ op: 'move', from: '/foo/a', path: '/qux/b' }],
      to: { foo: {}, qux: { b: 1 } },
    },
    {
      title: 'reads escaped names',
      from: { 'a/b': 1, 'm~n': 2 },
      patch: [
        { op: 'replace', path: '/a~1b', value: 3 },
        { op: 'remove', path: '/m~0n' },
      ],
      to: { 'a/b': 3 },
    },
  ])('$title', ({ from, patch, to }) => {
    expect(jsonPatch(from, patch)).toEqual(to);
  });

  test.each([
    [[{ op: 'remove', path: '/none' }]],
    [[{ op: 'replace', path: '/none', value: 1 }]],
    [[{ op: 'add', path: '/none/deeper', value: 1 }]],
    [[{ op: 'test', path: '/foo', value: 2 }]],
    [[{ op: 'twist', path: '/foo' }]],
  ])('that does not fit is refused: %j', (patch) => {
    expect(() => jsonPatch({ foo: 1 }, patch)).toThrow(
      'the server rejected our request due to an error in our request',
    );
  });
});

describe('a merge patch', () => {
  // RFC 7386, appendix A.
  test.each([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('of %j by %j gives %j', (target, patch, result) => {
    expect(mergePatch(target, patch)).toEqual(result);
  });

  test('applied twice is as good as once', () => {
    const value = fc.letrec((tie) => ({
      node: fc.oneof(
        fc.constant(null),
        fc.integer(),
        fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('node'), { maxKeys: 3 }),
      ),
    })).node;
    fc.assert(
      fc.property(value, value, (target, patch) => {
        const once = mergePatch(target, patch);
        expect(mergePatch(once, patch)).toEqual(once);
      }),
    );
  });
});

describe('a strategic merge patch', () => {
  const containers = (...list: object[]): object => ({ spec: { containers: list } });

  test('merges by key, deletes by directive, replaces by directive', () => {
    const live = containers({ name: 'a', image: '1' }, { name: 'b', image: '1' });
    expect(strategicPatch(live, containers({ name: 'b', image: '2' }, { name: 'a', $patch: 'delete' }), pod)).toEqual(
      containers({ name: 'b', image: '2' }),
    );
    expect(strategicPatch(live, containers({ $patch: 'replace' }, { name: 'c', image: '3' }), pod)).toEqual(
      containers({ name: 'c', image: '3' }),
    );
  });

  test('orders by $setElementOrder, what it does not name staying where it was', () => {
    const live = containers({ name: 'a' }, { name: 'x' }, { name: 'b' });
    const patch = { spec: { '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }], containers: [] } };
    const result = strategicPatch(live, patch, pod) as { spec: { containers: { name: string }[] } };
    expect(result.spec.containers.findIndex((c) => c.name === 'b')).toBeLessThan(
      result.spec.containers.findIndex((c) => c.name === 'a'),
    );
  });

  test('treats a list of plain values with a merge strategy as a set', () => {
    const live = { metadata: { finalizers: ['a', 'b'] } };
    const patch = { metadata: { finalizers: ['c'], '$deleteFromPrimitiveList/finalizers': ['a'] } };
    const result = strategicPatch(live, patch, pod) as { metadata: { finalizers: string[] } };
    expect(result.metadata.finalizers.toSorted((a, b) => a.localeCompare(b))).toEqual(['b', 'c']);
  });

  test('names the merge key that an item lacks', () => {
    expect(() => strategicPatch(containers({ name: 'a' }), containers({ image: 'x' }), pod)).toThrow(
      'map: map[image:x] does not contain declared merge key: name',
    );
  });
});
