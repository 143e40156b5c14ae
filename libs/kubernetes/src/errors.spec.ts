import { applyOutcome } from './apply.ts';
import { isAlreadyExists, isConflict, isGone, isNotFound, KubernetesError } from './errors.ts';

test('an error carries the reason, the causes and the request', () => {
  const error = new KubernetesError(
    422,
    {
      message: 'Canary.keelson.dev "a" is invalid: spec.steps[0].weight: Invalid value: 130',
      reason: 'Invalid',
      details: {
        causes: [{ reason: 'FieldValueInvalid', message: 'Invalid value: 130', field: 'spec.steps[0].weight' }],
      },
    },
    { request: 'POST /apis/keelson.dev/v1alpha1/namespaces/n/canaries' },
  );
  expect(error.reason).toBe('Invalid');
  expect(error.causes).toEqual([
    { reason: 'FieldValueInvalid', message: 'Invalid value: 130', field: 'spec.steps[0].weight' },
  ]);
  expect(error.message).toMatch(/^POST \/apis.*is invalid: spec.steps\[0\].weight/);
});

test.each([
  { header: 3, body: 7, expected: 7 },
  { header: 9, body: 7, expected: 9 },
  { header: undefined, body: 1, expected: 1 },
  { header: 2, body: undefined, expected: 2 },
  { header: undefined, body: undefined, expected: undefined },
])('of Retry-After $header and retryAfterSeconds $body the longer counts', ({ header, body, expected }) => {
  const details = body === undefined ? {} : { retryAfterSeconds: body };
  expect(new KubernetesError(429, { details }, { retryAfterSeconds: header }).retryAfterSeconds).toBe(expected);
});

test('a body without a reason gets the one of its status', () => {
  expect(new KubernetesError(410, { message: 'gone' }).reason).toBe('Expired');
  expect(new KubernetesError(418, {}).message).toBe('HTTP 418');
});

test('the kinds of refusal are told apart', () => {
  expect(isNotFound(new KubernetesError(404, {}))).toBe(true);
  expect(isGone(new KubernetesError(410, {}))).toBe(true);
  expect(isConflict(new KubernetesError(409, { reason: 'AlreadyExists' }))).toBe(true);
  expect(isAlreadyExists(new KubernetesError(409, { reason: 'AlreadyExists' }))).toBe(true);
  expect(isAlreadyExists(new KubernetesError(409, { reason: 'Conflict' }))).toBe(false);
  expect(isNotFound(new Error('not found'))).toBe(false);
});

describe('the outcome of an apply', () => {
  const refuse = (status: number, body: object) =>
    applyOutcome(() => Promise.reject(new KubernetesError(status, body)));

  test('names field and manager of each conflict', async () => {
    const causes = [
      { reason: 'FieldManagerConflict', message: 'conflict with "kubectl" using apps/v1', field: '.spec.replicas' },
      {
        reason: 'FieldManagerConflict',
        message: 'conflict with "hpa" with subresource "scale" using apps/v1 at 2026-03-01T12:00:00Z',
        field: '.spec.paused',
      },
    ];
    expect(await refuse(409, { reason: 'Conflict', details: { causes } })).toEqual({
      kind: 'conflict',
      causes: [
        { field: '.spec.replicas', manager: 'kubectl', message: causes[0]?.message },
        { field: '.spec.paused', manager: 'hpa', message: causes[1]?.message },
      ],
    });
  });

  test('a 409 of another kind stays an error', async () => {
    await expect(refuse(409, { reason: 'Conflict', message: 'the object has been modified' })).rejects.toThrow(
      'modified',
    );
  });

  test('any other refusal stays an error', async () => {
    await expect(refuse(422, { message: 'invalid' })).rejects.toThrow(KubernetesError);
  });
});
