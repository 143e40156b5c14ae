/** One measurement in a Canary's status: `evidenceSchema` of the contracts, held equal by a test. */
export const evidenceJsonSchema = {
  type: 'object',
  required: ['check', 'outcome', 'summary'],
  properties: {
    check: { type: 'string', enum: ['success-rate', 'warning-events', 'workload'] },
    outcome: { type: 'string', enum: ['pass', 'fail', 'inconclusive', 'error'] },
    summary: { type: 'string', description: 'In words, with the numbers and what is allowed.' },
    query: { type: 'string', description: 'The PromQL that was asked.' },
    value: { type: 'number' },
    threshold: { type: 'number' },
    sample: { type: 'number', description: 'Requests that the value rests on.' },
    events: {
      type: 'array',
      items: {
        type: 'object',
        required: ['reason', 'message', 'object', 'count', 'lastSeen'],
        properties: {
          reason: { type: 'string' },
          message: { type: 'string' },
          object: { type: 'string' },
          count: { type: 'integer' },
          lastSeen: { type: 'string', format: 'date-time' },
        },
      },
    },
  },
};
