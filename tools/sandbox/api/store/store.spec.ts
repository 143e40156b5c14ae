import fc from 'fast-check';

import type { KubeObject } from '../json.ts';
import { type Change, CompactedError } from './collection.ts';
import { fieldSelector, labelSelector, matchesLabelSelector } from './selectors.ts';
import { Store } from './store.ts';

const anObject = (name: string, n = 0): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Thing',
  metadata: { name, namespace: 'ns', uid: name, resourceVersion: '', creationTimestamp: '' },
  n,
});

type Step = { name: string; remove: boolean };
const steps = fc.array(fc.record({ name: fc.constantFrom('a', 'b', 'c'), remove: fc.boolean() }), { maxLength: 30 });

function run(store: Store, { name, remove }: Step, n: number): void {
  const current = store.collection('things').get(`ns\0${name}`);
  if (remove && current) store.write('things', 'DELETED', current, current);
  else if (!remove) store.write('things', current ? 'MODIFIED' : 'ADDED', anObject(name, n), current);
}

const state = (objects: KubeObject[]): [string, number][] => objects.map((o) => [o.metadata.name, o['n']]);

describe('the store', () => {
  test('can tell the state at every revision that it still has', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const store = new Store({ window: 1000 });
        const seen = new Map<number, [string, number][]>();
        list.forEach((step, n) => {
          run(store, step, n);
          seen.set(store.revision, state(store.collection('things').list()));
        });
        for (const [revision, expected] of seen) {
          expect(state(store.collection('things').listAt(revision))).toEqual(expected);
        }
      }),
    );
  });

  test('tells each change after a revision once, in order', () => {
    fc.assert(
      fc.property(steps, fc.nat(30), (list, cut) => {
        const store = new Store({ window: 1000 });
        const told: Change[] = [];
        store.listen((_collection, change) => told.push(change));
        list.forEach((step, n) => run(store, step, n));
        const from = 1 + cut;
        expect(store.collection('things').since(from)).toEqual(told.filter(({ revision }) => revision > from));
      }),
    );
  });

  test('keeps as many changes as its window says, and refuses what is older', () => {
    const store = new Store({ window: 10 });
    for (let n = 0; n < 100; n++) run(store, { name: 'a', remove: false }, n);
    const things = store.collection('things');
    expect(() => things.since(store.revision - 20)).toThrow(CompactedError);
    expect(things.since(store.revision - 10)).toHaveLength(10);
    expect(things.list()).toHaveLength(1);
  });

  test('forgets at a compaction what was before, as etcd does', () => {
    const store = new Store({ window: 1000 });
    for (const name of ['a', 'b', 'c']) run(store, { name, remove: false }, 0);
    const at = store.compact();
    const things = store.collection('things');
    expect(things.listAt(at)).toHaveLength(3);
    expect(() => things.listAt(at - 1)).toThrow(CompactedError);
    expect(things.since(at - 1)).toHaveLength(1);
    expect(() => things.since(at - 2)).toThrow(CompactedError);
  });
});

describe('selectors', () => {
  test.each([
    ['a=1', { a: '1' }, true],
    ['a==1,b!=2', { a: '1' }, true],
    ['a!=1', { a: '1' }, false],
    ['a', { a: '' }, true],
    ['!a', { a: '' }, false],
    ['a in (1, 2),b notin (3)', { a: '2', b: '4' }, true],
    ['a in (1)', {}, false],
    ['a notin (1)', {}, true],
    ['example.com/a=b', { 'example.com/a': 'b' }, true],
  ])('%s of %j is %s', (selector, labels: Record<string, string>, expected) => {
    expect(labelSelector(selector)?.(labels)).toBe(expected);
  });

  test('refuses what is no selector', () => {
    expect(() => labelSelector('a b')).toThrow('unable to parse requirement');
    expect(() => fieldSelector('colour=red', new Set(['metadata.name']))).toThrow('field label not supported: colour');
  });

  test('an empty label selector matches everything, none matches nothing', () => {
    expect(matchesLabelSelector({}, { a: 'b' })).toBe(true);
    expect(matchesLabelSelector(undefined, { a: 'b' })).toBe(false);
  });
});
