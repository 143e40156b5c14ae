import { NoAnswerError, ProblemError } from '@keelson/contracts';
import { identityOf, mayDo, readStandings, type Standing, type Standings } from './standing.ts';

const known: Standing = { kind: 'known', identity: { name: 'ann', team: 'shop', scopes: ['orders:read'] } };
const standings = (part: Partial<Standings>): Standings => ({
  certificates: known,
  events: known,
  canaries: known,
  orders: known,
  ...part,
});

test.each([
  { name: 'a scope that is there', given: known, allowed: true },
  {
    name: 'all scopes',
    given: { kind: 'known', identity: { name: 'op', team: '*', scopes: ['*'] } } as Standing,
    allowed: true,
  },
  {
    name: 'a scope that is missing',
    given: { kind: 'known', identity: { name: 'bob', team: 'shop', scopes: [] } } as Standing,
    allowed: false,
    reason: 'Your token “bob” lacks the scope orders:read.',
  },
  {
    name: 'an unknown token',
    given: { kind: 'unknown' } as Standing,
    allowed: false,
    reason: 'order-demo does not know',
  },
  {
    name: 'a service that is away',
    given: { kind: 'no-answer', reason: 'refused' } as Standing,
    scope: 'orders:write' as const,
    allowed: false,
    reason: 'order-demo does not answer',
  },
  {
    name: 'a reading at a service that is away',
    given: { kind: 'no-answer', reason: 'refused' } as Standing,
    allowed: true,
  },
])('$name decides what may be done', ({ given, scope, allowed, reason }) => {
  const permission = mayDo(standings({ orders: given }), 'orders', scope ?? 'orders:read');
  expect(permission.allowed).toBe(allowed);
  if (!permission.allowed) expect(permission.reason).toContain(reason);
});

test('each service is asked, and what one says does not hide what another says', async () => {
  const identity = { name: 'ann', team: 'shop', scopes: [] };
  const problem = { type: 'x', title: 'A valid token is needed', status: 401, code: 'unauthenticated' };
  const read = await readStandings({
    certificates: { whoAmI: () => Promise.reject(new ProblemError(problem, { operation: 'GET' })) },
    events: { whoAmI: () => Promise.reject(new NoAnswerError('GET', 'refused', undefined)) },
    canaries: { whoAmI: () => Promise.resolve(identity) },
    orders: {
      whoAmI: () =>
        Promise.reject(new ProblemError({ ...problem, status: 503, code: 'unavailable' }, { operation: 'GET' })),
    },
  });
  expect(read).toMatchObject({
    certificates: { kind: 'unknown' },
    events: { kind: 'no-answer' },
    canaries: { kind: 'known', identity },
    orders: { kind: 'no-answer' },
  });
  expect(identityOf(read)).toEqual(identity);
  expect(identityOf(standings({ certificates: { kind: 'unknown' } }))?.name).toBe('ann');
});

test('what was known holds while a service does not answer, and ends when it says no', async () => {
  const silent = { whoAmI: () => Promise.reject(new NoAnswerError('GET', 'refused', undefined)) };
  const problem = { type: 'x', title: 'A valid token is needed', status: 401, code: 'unauthenticated' };
  const refusing = { whoAmI: () => Promise.reject(new ProblemError(problem, { operation: 'GET' })) };
  const ask = { certificates: silent, events: silent, canaries: refusing, orders: refusing };
  const read = await readStandings(ask, { before: standings({ events: { kind: 'asking' } }) });
  expect(read).toMatchObject({
    certificates: known,
    events: { kind: 'no-answer' },
    canaries: { kind: 'unknown' },
    orders: { kind: 'unknown' },
  });
});
