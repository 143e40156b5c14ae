import type { Node, Pod } from '../kubernetes-objects.ts';
import { candidates, isBindable, mayTake, NAMESPACES_ANNOTATION } from './binding.ts';

const aPod = (spec: Partial<Pod['spec']> = {}): Pod => ({ metadata: { name: 'p' }, spec: { containers: [], ...spec } });
const aNode = (name: string, over: Partial<Node> = {}): Node => ({
  metadata: { name, labels: { 'kubernetes.io/hostname': name } },
  status: { conditions: [{ type: 'Ready', status: 'True' }] },
  ...over,
});

describe('binding pods', () => {
  test.each([
    ['a new pod', aPod(), true],
    ['one that has a node', aPod({ nodeName: 'other' }), false],
    ['one of another scheduler', aPod({ schedulerName: 'special' }), false],
    ['one that is gated', aPod({ schedulingGates: [{}] }), false],
    ['one on its way out', { ...aPod(), metadata: { name: 'p', deletionTimestamp: 'x' } }, false],
  ])('%s is bindable: %s', (_, pod, expected) => {
    expect(isBindable(pod)).toBe(expected);
  });

  test('a node takes a pod when it is ready, not cordoned, and its labels fit', () => {
    expect(mayTake(aNode('a'), aPod())).toBe(true);
    expect(mayTake(aNode('a', { spec: { unschedulable: true } }), aPod())).toBe(false);
    expect(mayTake(aNode('a', { status: {} }), aPod())).toBe(false);
    expect(mayTake(aNode('a'), aPod({ nodeSelector: { 'kubernetes.io/hostname': 'b' } }))).toBe(false);
  });

  test('a node that is for one namespace takes no pod of another', () => {
    const node = aNode('a', { metadata: { name: 'a', annotations: { [NAMESPACES_ANNOTATION]: 'shop,bank' } } });
    const of = (namespace: string): Pod => ({ ...aPod(), metadata: { name: 'p', namespace } });
    expect(mayTake(node, of('bank'))).toBe(true);
    expect(mayTake(node, of('default'))).toBe(false);
  });

  test('the least loaded node comes first, ties by name', () => {
    const pods = [aPod({ nodeName: 'a' }), aPod({ nodeName: 'a' }), aPod({ nodeName: 'c' })];
    expect(candidates(aPod(), [aNode('c'), aNode('b'), aNode('a')], pods)).toEqual(['b', 'c', 'a']);
    expect(candidates(aPod(), [aNode('b'), aNode('a')], [])).toEqual(['a', 'b']);
  });
});
