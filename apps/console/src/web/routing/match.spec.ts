import fc from 'fast-check';
import { addressOf, matchPage, withQuery } from './match.ts';

test.each([
  ['/', { page: 'home', params: {} }],
  ['/canaries', { page: 'canaries', params: {} }],
  ['/canaries/', { page: 'canaries', params: {} }],
  ['/canaries/shop/order-demo', { page: 'canary', params: { namespace: 'shop', name: 'order-demo' } }],
  ['/events/a%2Fb', { page: 'event', params: { id: 'a/b' } }],
  ['/events/%', undefined],
  ['/nowhere', undefined],
  ['/canaries/shop', undefined],
])('%s is matched', (path, match) => {
  expect(matchPage(path)).toEqual(match);
});

test('an address leads back to what it was made of, whatever the parameters are', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), (namespace, name) => {
      expect(matchPage(addressOf('canary', { namespace, name }))).toEqual({
        page: 'canary',
        params: { namespace, name },
      });
    }),
  );
});

test('a filter that is not set does not stand in the address', () => {
  expect(withQuery('/events', { type: 'Warning', reason: '', text: undefined })).toBe('/events?type=Warning');
  expect(withQuery('/events', { type: 'Warning', text: 'x' })).toBe(
    withQuery('/events', { text: 'x', type: 'Warning' }),
  );
  expect(addressOf('events', undefined, { text: 'a b&c' })).toBe('/events?text=a+b%26c');
});
