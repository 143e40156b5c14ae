/**
 * The spec of a Canary as the API server checks it: `canarySpecSchema` of the contracts, written as a structural
 * schema with descriptions for `kubectl explain`. By hand rather than made from zod at start: that would load all
 * contracts (45 MiB) into every program that talks to Kubernetes. A test holds the two equal.
 *
 * The CEL rules say what JSON Schema cannot: limits are there to keep their estimated cost within the API server's.
 */
const label = {
  type: 'string',
  pattern: '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$',
  maxLength: 63,
};
const seconds = { type: 'integer', minimum: 1, maximum: 86_400 };

const workload = (description: string): object => ({
  type: 'object',
  description,
  required: ['deployment', 'service'],
  properties: {
    deployment: { ...label, description: 'Name of the Deployment, in the namespace of the Canary.' },
    service: { ...label, description: 'Name of the Service that selects its pods.' },
  },
});

const route = {
  type: 'object',
  description: 'Where the traffic comes in.',
  required: ['ingress', 'host'],
  properties: {
    ingress: { ...label, description: 'The Ingress that carries the traffic now; it stays as it is.' },
    host: { type: 'string', minLength: 1, maxLength: 253, description: 'Host of the rule in the Ingress.' },
    path: {
      type: 'string',
      maxLength: 1024,
      pattern: '^\\/.*',
      default: '/',
      description: 'Path of the rule in the Ingress.',
    },
  },
};

// ingress-nginx drops an annotation whose value it does not like, and with it the rule (BasicCharsRegex, IsValidRegex of its
// annotation parser): a release by header would then get no requests, and nobody would be told why.
const token = '^[A-Za-z0-9_-]+$';
const tokenWords = 'letters, digits, - and _';
const value = '^[A-Za-z0-9._~:/-]*$';
const pattern = '^[A-Za-z0-9._~:/^$*+?|&=(){}\\\\\\[\\]-]*$';

const match = {
  type: 'object',
  description:
    'Requests that always go to the new version, whatever the weight. Header beats cookie, cookie beats weight.',
  properties: {
    header: {
      type: 'object',
      required: ['name'],
      properties: {
        name: { type: 'string', minLength: 1, maxLength: 128 },
        value: { type: 'string', maxLength: 256, description: 'The header must have exactly this value.' },
        pattern: { type: 'string', maxLength: 256, description: 'The header must match this regular expression.' },
      },
      'x-kubernetes-validations': [
        {
          rule: '!(has(self.value) && has(self.pattern))',
          message: 'value and pattern exclude each other; set one of them',
        },
        { rule: `self.name.matches('${token}')`, message: `name may have ${tokenWords} only` },
        {
          rule: `!has(self.value) || self.value.matches('${value}')`,
          message: 'value may have letters, digits, and . _ ~ : / - only: ingress-nginx takes no other',
        },
        {
          rule: `!has(self.pattern) || self.pattern.matches(r'${pattern}')`,
          message:
            'pattern has a character that ingress-nginx does not take: blanks, quotes, commas, control characters',
        },
      ],
    },
    cookie: {
      type: 'string',
      minLength: 1,
      maxLength: 128,
      description: 'Name of a cookie: value `always` goes to the new version, `never` to the old one.',
      'x-kubernetes-validations': [{ rule: `self.matches('${token}')`, message: `cookie may have ${tokenWords} only` }],
    },
  },
};

const steps = {
  type: 'array',
  description: 'Weights in order; after the last one the new version is promoted.',
  minItems: 1,
  maxItems: 50,
  items: {
    type: 'object',
    required: ['weight'],
    properties: {
      weight: { type: 'integer', minimum: 0, maximum: 100, description: 'Per cent of requests for the new version.' },
      holdSeconds: { ...seconds, default: 60, description: 'How long this step must stay healthy before the next.' },
      pause: { type: 'boolean', default: false, description: 'Wait for a promotion by hand here.' },
    },
  },
};

const analysis = {
  type: 'object',
  description: 'How the new version is judged.',
  default: {},
  properties: {
    intervalSeconds: { ...seconds, default: 10, description: 'Time between two looks.' },
    successRate: {
      type: 'object',
      description: 'Share of requests to the new version that are not answered 5xx.',
      default: { min: 0.99, minSample: 100 },
      properties: {
        min: { type: 'number', minimum: 0, maximum: 1, default: 0.99 },
        minSample: { type: 'integer', minimum: 1, default: 100, description: 'Requests needed for a verdict.' },
      },
    },
    warningEvents: {
      type: 'object',
      description: "Warning events of the new version's own pods that are tolerated.",
      default: { max: 0, ignoreReasons: [] },
      properties: {
        max: { type: 'integer', minimum: 0, default: 0 },
        ignoreReasons: { type: 'array', maxItems: 50, default: [], items: { type: 'string', maxLength: 128 } },
      },
    },
    failureLimit: {
      type: 'integer',
      minimum: 1,
      maximum: 100,
      default: 2,
      description: 'Failed looks in a row that roll back.',
    },
    inconclusiveLimitSeconds: {
      ...seconds,
      default: 600,
      description: 'How long too few requests may hold a step before the rollout pauses.',
    },
  },
};

export const canarySpecJsonSchema = {
  type: 'object',
  required: ['stable', 'canary', 'route', 'steps'],
  properties: {
    stable: workload('The version that has the traffic.'),
    canary: workload('The new version.'),
    route,
    match,
    steps,
    analysis,
  },
  'x-kubernetes-validations': [
    {
      rule: 'self.stable.deployment != self.canary.deployment',
      message:
        'stable.deployment and canary.deployment are the same; the old and the new version need a Deployment each',
    },
    {
      rule: 'self.stable.service != self.canary.service',
      message: 'stable.service and canary.service are the same; the old and the new version need a Service each',
    },
  ],
};
