import { registerProblems } from '@keelson/service-kit';

/** What canary-controller can answer besides the problems that every service has. */
export const problems = registerProblems({
  'route-taken': { status: 409, title: 'Another canary is under way on this host and path' },
  'canary-refused': { status: 422, title: 'The Kubernetes API refused the Canary' },
  'wrong-phase': { status: 409, title: 'The release is not in a phase in which this can be done' },
});
