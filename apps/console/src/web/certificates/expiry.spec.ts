import type { Certificate } from '@keelson/contracts';
import { byEnd } from './by-end.ts';
import { isReplaced, lifeOf, lived, namesOf } from './expiry.ts';

const DAY = 86_400_000;
const now = Date.parse('2026-01-31T12:00:00.000Z');
const at = (days: number): string => new Date(now + days * DAY).toISOString();
const certificate = (part: Partial<Certificate>): Certificate =>
  ({
    id: 'a',
    team: 'shop',
    state: 'valid',
    subject: '',
    dnsNames: ['shop.example'],
    ipAddresses: [],
    uris: [],
    notBefore: at(0),
    notAfter: at(90),
    ...part,
  }) as Certificate;

test.each([
  { name: 'an hour of an hour', notBefore: 0, notAfter: 1 / 24, life: 'fresh' },
  { name: 'a third of a day', notBefore: -2 / 3, notAfter: 1 / 3, life: 'fresh' },
  { name: 'less than a third of a day', notBefore: -0.75, notAfter: 0.25, life: 'soon' },
  { name: 'less than a tenth of a day', notBefore: -0.95, notAfter: 0.05, life: 'now' },
  { name: '31 days of a year', notBefore: -334, notAfter: 31, life: 'fresh' },
  { name: '29 days of a year', notBefore: -336, notAfter: 29, life: 'soon' },
  { name: '9 days of a year', notBefore: -356, notAfter: 9, life: 'now' },
  { name: 'none', notBefore: -1, notAfter: 0, life: 'over' },
])('$name left: $life', ({ notBefore, notAfter, life }) => {
  expect(lifeOf({ notBefore: at(notBefore), notAfter: at(notAfter) }, now)).toBe(life);
});

test('the share of its life that is over stays between nothing and all of it', () => {
  expect(lived({ notBefore: at(1), notAfter: at(2) }, now)).toBe(0);
  expect(lived({ notBefore: at(-1), notAfter: at(1) }, now)).toBe(0.5);
  expect(lived({ notBefore: at(-2), notAfter: at(-1) }, now)).toBe(1);
});

test.each([
  { name: 'one that lives longer', part: { notAfter: at(100) }, replaced: true },
  { name: 'one with more names', part: { notAfter: at(100), dnsNames: ['x.example', 'shop.example'] }, replaced: true },
  { name: 'one that ends before', part: { notAfter: at(80) }, replaced: false },
  { name: 'one that lacks a name', part: { notAfter: at(100), dnsNames: ['x.example'] }, replaced: false },
  { name: 'one that is revoked', part: { notAfter: at(100), state: 'revoked' as const }, replaced: false },
  { name: 'one of another team', part: { notAfter: at(100), team: 'red' }, replaced: false },
])('$name replaces a certificate: $replaced', ({ part, replaced }) => {
  const old = certificate({});
  expect(isReplaced(old, [old, certificate({ id: 'b', ...part })])).toBe(replaced);
});

test('a certificate without names is called by its subject', () => {
  expect(namesOf(certificate({ dnsNames: [], subject: 'CN=robot' }))).toEqual(['CN=robot']);
  expect(namesOf(certificate({ ipAddresses: ['10.0.0.1'] }))).toEqual(['shop.example', '10.0.0.1']);
});

test('the one that ends first comes first', () => {
  const sorted = byEnd([certificate({ id: 'b', notAfter: at(2) }), certificate({ id: 'a', notAfter: at(1) })]);
  expect(sorted.map(({ id }) => id)).toEqual(['a', 'b']);
});
