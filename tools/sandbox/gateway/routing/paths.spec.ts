import fc from 'fast-check';
import { byPrecedence, normalisePath, pathMatches } from './paths.ts';
import type { PathType } from '../kubernetes-objects.ts';

describe('path rules', () => {
  // The table of "Ingress > Path types > Examples" in the Kubernetes documentation.
  test.each<[PathType, string, string, boolean]>([
    ['Prefix', '/', '/', true],
    ['Prefix', '/', '/any', true],
    ['Exact', '/foo', '/foo', true],
    ['Exact', '/foo', '/bar', false],
    ['Exact', '/foo', '/foo/', false],
    ['Exact', '/foo/', '/foo', false],
    ['Prefix', '/foo', '/foo', true],
    ['Prefix', '/foo', '/foo/', true],
    ['Prefix', '/foo/', '/foo', true],
    ['Prefix', '/foo/', '/foo/', true],
    ['Prefix', '/aaa/bb', '/aaa/bbb', false],
    ['Prefix', '/aaa/bbb', '/aaa/bbb', true],
    ['Prefix', '/aaa/bbb/', '/aaa/bbb', true],
    ['Prefix', '/aaa/bbb', '/aaa/bbb/', true],
    ['Prefix', '/aaa/bbb', '/aaa/bbb/ccc', true],
    ['Prefix', '/aaa/bbb', '/aaa/bbbxyz', false],
    ['ImplementationSpecific', '/foo', '/foobar', true],
    ['ImplementationSpecific', '/foo/', '/foo', false],
  ])('%s %s takes %s: %s', (type, rule, path, expected) => {
    expect(pathMatches(type, rule, path)).toBe(expected);
  });

  test('the longest path wins, Exact before Prefix when they are equal', () => {
    const rules: { path: string; pathType: PathType }[] = [
      { path: '/', pathType: 'Prefix' },
      { path: '/foo', pathType: 'ImplementationSpecific' },
      { path: '/foo', pathType: 'Prefix' },
      { path: '/foo', pathType: 'Exact' },
      { path: '/foo/bar', pathType: 'Prefix' },
    ];
    expect([...rules].sort(byPrecedence).map((r) => `${r.pathType} ${r.path}`)).toEqual([
      'Prefix /foo/bar',
      'Exact /foo',
      'Prefix /foo',
      'ImplementationSpecific /foo',
      'Prefix /',
    ]);
  });

  test('a prefix takes exactly the paths whose first elements are its elements', () => {
    const element = fc.string({ unit: fc.constantFrom('a', 'b', '-'), minLength: 1, maxLength: 2 });
    const elements = fc.array(element, { maxLength: 3 });
    fc.assert(
      fc.property(elements, elements, fc.boolean(), fc.boolean(), (rule, path, slashRule, slashPath) => {
        const write = (parts: string[], slash: boolean): string =>
          `/${parts.join('/')}${slash && parts.length > 0 ? '/' : ''}`;
        const expected = rule.every((part, i) => path[i] === part);
        expect(pathMatches('Prefix', write(rule, slashRule), write(path, slashPath))).toBe(expected);
      }),
    );
  });
});

describe('the path that rules are matched against', () => {
  test.each([
    ['/a/b', '/a/b'],
    ['/a?x=/../b', '/a'],
    ['/a//b', '/a/b'],
    ['/a/./b/', '/a/b/'],
    ['/a/../b', '/b'],
    ['/a/b/..', '/a/'],
    ['/%61dmin', '/admin'],
    ['/x/%2e%2e/admin', '/admin'],
    ['/..', undefined],
    ['/%ff', undefined],
    ['/%00', undefined],
    ['/', '/'],
    ['//', '/'],
  ])('%s is %s', (target, expected) => {
    expect(normalisePath(target)).toBe(expected);
  });

  test('never holds an empty, "." or ".." element, whatever is asked for', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', '.', '..', '', '%2e', '%2f', 'b c')), (parts) => {
        const path = normalisePath(`/${parts.join('/')}`);
        if (path === undefined) return;
        expect(path.startsWith('/')).toBe(true);
        const elements = path.replace(/\/$/, '').split('/').slice(1);
        for (const element of elements) expect(['', '.', '..']).not.toContain(element);
      }),
    );
  });
});
