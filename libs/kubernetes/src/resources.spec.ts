import { apiVersionOf, defineResource, resourcePath, resources } from './resources.ts';

test.each([
  { resource: resources.pods, at: {}, path: '/api/v1/pods' },
  { resource: resources.pods, at: { namespace: 'n' }, path: '/api/v1/namespaces/n/pods' },
  {
    resource: resources.pods,
    at: { namespace: 'n', name: 'p', subresource: 'status' },
    path: '/api/v1/namespaces/n/pods/p/status',
  },
  { resource: resources.namespaces, at: { namespace: 'ignored', name: 'n' }, path: '/api/v1/namespaces/n' },
  {
    resource: resources.deployments,
    at: { namespace: 'n', name: 'd' },
    path: '/apis/apps/v1/namespaces/n/deployments/d',
  },
  { resource: resources.canaries, at: { namespace: 'n' }, path: '/apis/keelson.dev/v1alpha1/namespaces/n/canaries' },
  {
    resource: resources.secrets,
    at: { namespace: 'n', name: 'a/../b' },
    path: '/api/v1/namespaces/n/secrets/a%2F..%2Fb',
  },
])('$path', ({ resource, at, path }) => {
  expect(resourcePath(resource, at)).toBe(path);
});

test('a resource of any group is defined by its apiVersion', () => {
  const jobs = defineResource({ apiVersion: 'batch/v1', plural: 'jobs', kind: 'Job', namespaced: true });
  expect(jobs).toEqual({ group: 'batch', version: 'v1', plural: 'jobs', kind: 'Job', namespaced: true });
  expect(apiVersionOf(jobs)).toBe('batch/v1');
  expect(apiVersionOf(resources.pods)).toBe('v1');
});
