import fc from 'fast-check';
import { ObjectCache, type Change } from './object-cache.ts';
import type { KubernetesObject } from './wire.ts';

const anObject = (name: string, uid: string, resourceVersion: number): KubernetesObject => ({
  metadata: { namespace: 'n', name, uid, resourceVersion: String(resourceVersion) },
});
const told = (changes: Change<KubernetesObject>[]): string[] =>
  changes.map(({ type, object }) => `${type} ${object.metadata?.name}/${object.metadata?.uid}`);

test('the same event twice is told once', () => {
  const cache = new ObjectCache();
  expect(told(cache.take('ADDED', anObject('a', '1', 5)))).toEqual(['ADDED a/1']);
  expect(told(cache.take('ADDED', anObject('a', '1', 5)))).toEqual([]);
  expect(told(cache.take('DELETED', anObject('a', '1', 6)))).toEqual(['DELETED a/1']);
  expect(told(cache.take('DELETED', anObject('a', '1', 6)))).toEqual([]);
});

test('what a watch calls ADDED but the cache knows is MODIFIED', () => {
  const cache = new ObjectCache();
  cache.take('ADDED', anObject('a', '1', 5));
  expect(told(cache.take('ADDED', anObject('a', '1', 7)))).toEqual(['MODIFIED a/1']);
});

test('a list tells what went, what came, what changed, and what was replaced under its name', () => {
  const cache = new ObjectCache();
  cache.replaceAll([
    anObject('gone', '1', 1),
    anObject('same', '2', 2),
    anObject('changed', '3', 3),
    anObject('replaced', '4', 4),
  ]);
  const changes = cache.replaceAll([
    anObject('same', '2', 2),
    anObject('changed', '3', 8),
    anObject('replaced', '5', 9),
    anObject('new', '6', 10),
  ]);
  expect(told(changes)).toEqual([
    'DELETED gone/1',
    'MODIFIED changed/3',
    'DELETED replaced/4',
    'ADDED replaced/5',
    'ADDED new/6',
  ]);
});

test('whatever events and lists come, the told changes alone rebuild the cache', () => {
  const object = fc
    .record({ name: fc.constantFrom('a', 'b', 'c'), uid: fc.constantFrom('1', '2'), version: fc.nat(5) })
    .map(({ name, uid, version }) => anObject(name, uid, version));
  const act = fc.oneof(
    fc.record({ type: fc.constantFrom('ADDED' as const, 'MODIFIED' as const, 'DELETED' as const), object }),
    fc.record({ list: fc.uniqueArray(object, { selector: (item) => item.metadata?.name }) }),
  );
  fc.assert(
    fc.property(fc.array(act), (acts) => {
      const cache = new ObjectCache();
      const rebuilt = new Map<string, KubernetesObject>();
      for (const act of acts) {
        for (const { type, object, previous } of 'list' in act
          ? cache.replaceAll(act.list)
          : cache.take(act.type, act.object)) {
          const name = object.metadata?.name ?? '';
          expect(rebuilt.get(name)).toEqual(previous);
          expect(rebuilt.has(name)).toBe(type !== 'ADDED');
          if (type === 'DELETED') rebuilt.delete(name);
          else rebuilt.set(name, object);
        }
        if ('list' in act)
          expect(new Set(cache.values())).toEqual(
            new Set(act.list.map((item) => cache.get('n', item.metadata?.name ?? ''))),
          );
      }
      expect(new Set(rebuilt.values())).toEqual(new Set(cache.values()));
    }),
  );
});
