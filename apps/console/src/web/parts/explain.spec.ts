import { ContractError, NoAnswerError, ProblemError } from '@keelson/contracts';
import { explain } from './explain.ts';

const problem = { type: 'x', title: 'The request breaks the contract', status: 422, code: 'invalid-request' };

test('a problem is told with its faults and the id that finds it in the logs', () => {
  const errors = [{ pointer: '/reason', detail: 'is too long' }];
  const error = new ProblemError({ ...problem, detail: 'See below.', errors, traceId: 'abc' }, { operation: 'POST' });
  expect(explain(error)).toEqual({
    title: 'The request breaks the contract',
    detail: 'See below.',
    faults: ['/reason: is too long'],
    requestId: 'abc',
    signIn: false,
  });
});

test('who is not known is offered to sign in', () => {
  expect(explain(new ProblemError({ ...problem, status: 401 }, { operation: 'GET' })).signIn).toBe(true);
});

test.each([
  { name: 'no answer', error: new NoAnswerError('GET', 'refused', undefined), title: 'server does not answer' },
  {
    name: 'an answer of another version',
    error: new ContractError('GET', '/x is missing'),
    title: 'not what this console',
  },
  { name: 'a fault of the page', error: new Error('boom'), title: 'went wrong in the page' },
  { name: 'something that is no error', error: 'boom', title: 'went wrong in the page' },
])('$name has words of its own', ({ error, title }) => {
  expect(explain(error).title).toContain(title);
});
