import type { CustomResourceDefinition } from '../resources.ts';
import { evidenceJsonSchema } from './evidence-schema.ts';
import { canarySpecJsonSchema } from './spec-schema.ts';
import { canaryGroup, canaryVersion } from './types.ts';

const condition = {
  type: 'object',
  required: ['type', 'status', 'lastTransitionTime', 'reason', 'message'],
  properties: {
    type: { type: 'string', maxLength: 316 },
    status: { type: 'string', enum: ['True', 'False', 'Unknown'] },
    observedGeneration: { type: 'integer', format: 'int64', minimum: 0 },
    lastTransitionTime: { type: 'string', format: 'date-time' },
    reason: { type: 'string', minLength: 1, maxLength: 1024 },
    message: { type: 'string', maxLength: 32_768 },
  },
};

const status = {
  type: 'object',
  description: 'Written by canary-controller only.',
  properties: {
    phase: {
      type: 'string',
      enum: ['Pending', 'Progressing', 'Paused', 'Promoting', 'Promoted', 'RollingBack', 'RolledBack', 'Refused'],
    },
    reason: { type: 'string', description: 'Why it is in this phase.' },
    step: { type: 'integer', description: 'Index into spec.steps; -1 before the first.' },
    weight: { type: 'integer', minimum: 0, maximum: 100, description: 'Per cent of requests for the new version now.' },
    release: { type: 'integer', format: 'int64', description: 'metadata.generation when the release began.' },
    since: { type: 'string', format: 'date-time', description: 'Since when it is in this phase.' },
    observedGeneration: { type: 'integer', format: 'int64' },
    evidence: {
      type: 'array',
      maxItems: 50,
      items: evidenceJsonSchema,
      description: 'The last look at the new version.',
    },
    conditions: {
      type: 'array',
      items: condition,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
    },
  },
};

const column = (name: string, type: string, jsonPath: string, description: string): object => ({
  name,
  type,
  jsonPath,
  description,
});

/** `kubectl get canaries` shows READY, PHASE, STEP, WEIGHT, REASON, AGE; `kubectl wait --for=condition=Promoted` works. */
export const canaryCustomResourceDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `canaries.${canaryGroup}` },
  spec: {
    group: canaryGroup,
    scope: 'Namespaced',
    names: {
      plural: 'canaries',
      singular: 'canary',
      kind: 'Canary',
      listKind: 'CanaryList',
      shortNames: ['cny'],
      categories: ['keelson'],
    },
    versions: [
      {
        name: canaryVersion,
        served: true,
        storage: true,
        subresources: { status: {} },
        additionalPrinterColumns: [
          column(
            'Ready',
            'string',
            '.status.conditions[?(@.type=="Ready")].status',
            'Nothing is under way and nothing failed',
          ),
          column('Phase', 'string', '.status.phase', 'Where the release stands'),
          column('Step', 'integer', '.status.step', 'Index into spec.steps'),
          column('Weight', 'integer', '.status.weight', 'Per cent of requests for the new version'),
          column('Reason', 'string', '.status.reason', 'Why it is in this phase'),
          column('Age', 'date', '.metadata.creationTimestamp', 'Since it was created'),
        ],
        schema: {
          openAPIV3Schema: {
            type: 'object',
            description:
              'A gray release: traffic moves step by step from one version to another, and back when it fails.',
            required: ['spec'],
            'x-kubernetes-validations': [
              {
                // It becomes a label and, with a suffix, the name of an Ingress.
                rule: 'self.metadata.name.size() <= 63 && !self.metadata.name.contains(".")',
                message: 'metadata.name must be a label of at most 63 characters, without dots',
              },
            ],
            properties: {
              apiVersion: { type: 'string' },
              kind: { type: 'string' },
              metadata: { type: 'object' },
              spec: canarySpecJsonSchema,
              status,
            },
          },
        },
      },
    ],
  },
} as CustomResourceDefinition;
