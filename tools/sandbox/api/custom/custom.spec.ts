import type { Schema } from '../schema/schema.ts';
import { celErrors, compileRule } from './cel.ts';
import { evaluateJsonPath, parseJsonPath } from './columns.ts';

describe('CEL rules', () => {
  const ruled = (rule: string, more: Schema = {}): Schema => ({
    type: 'object',
    properties: {
      n: { type: 'integer' },
      list: { type: 'array', items: { type: 'integer' } },
      'a-b': { type: 'string' },
      ...more.properties,
    },
    'x-kubernetes-validations': [{ rule }],
  });
  const holds = (rule: string, self: object, old?: object): boolean =>
    celErrors(self, old, ruled(rule), 'spec').length === 0;

  test.each([
    ['whole numbers', 'self.n + 1 == 4', { n: 3 }, true],
    ['a comparison with a fraction', 'self.n >= 2.5', { n: 3 }, true],
    ['presence', '!has(self.n)', {}, true],
    ['all of a list', 'self.list.all(x, x > 1)', { list: [1, 2] }, false],
    ['the sum of a list', 'self.list.sum() == 100', { list: [40, 60] }, true],
    ['sortedness', 'self.list.isSorted()', { list: [3, 1] }, false],
    ['an escaped name', "self.a__dash__b == 'x'", { 'a-b': 'x' }, true],
  ])('know %s', (_title, rule, self, expected) => {
    expect(holds(rule, self)).toBe(expected);
  });

  test('about the old value count on updates only', () => {
    expect(holds('self.n >= oldSelf.n', { n: 1 })).toBe(true);
    expect(holds('self.n >= oldSelf.n', { n: 1 }, { n: 2 })).toBe(false);
  });

  test('that fail on the way are faults, with what failed', () => {
    const [fault] = celErrors({}, undefined, ruled('self.n > 1'), 'spec');
    expect(fault?.message).toContain('no such key: n');
  });

  test.each([
    ['self.n >', 'Unexpected token'],
    ['unknown > 1', 'Unknown variable: unknown'],
    ["self.n.noSuchFunction('x')", 'no matching overload'],
    ['quantity(self.n) > 1', 'no matching overload'],
  ])('that are none do not compile: %s', (rule, message) => {
    expect(() => compileRule({ rule })).toThrow(message);
  });
});

describe('JSONPath of printer columns', () => {
  const object = {
    spec: { weight: 5, list: [{ n: 1 }, { n: 2 }] },
    metadata: { annotations: { 'example.com/a': 'x' } },
    status: {
      conditions: [
        { type: 'A', status: 'False' },
        { type: 'Ready', status: 'True' },
      ],
    },
  };
  test.each([
    ['.spec.weight', [5]],
    ['.spec.list[1].n', [2]],
    ['.spec.list[*].n', [1, 2]],
    ['.status.conditions[?(@.type=="Ready")].status', ['True']],
    [".metadata.annotations['example.com/a']", ['x']],
    ['.metadata.annotations.example\\.com/a', ['x']],
    ['.spec.none', []],
  ])('%s finds %j', (path, expected) => {
    expect(evaluateJsonPath(parseJsonPath(path), object)).toEqual(expected);
  });

  test('says where it cannot be read', () => {
    expect(() => parseJsonPath('.spec[')).toThrow('cannot read the JSONPath ".spec[" at "["');
  });
});
