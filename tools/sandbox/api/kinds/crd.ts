import { createdAt, nameColumn } from './columns.ts';
import { type Strategy, specGeneration } from './strategy.ts';
import { crdErrors, defaultCrd } from '../custom/definition.ts';

export const customResourceDefinitions: Strategy = {
  defaults: defaultCrd,
  onCreate(draft) {
    draft.status = { conditions: [], acceptedNames: { plural: '', kind: '' }, storedVersions: [] };
    // Its objects go first when it is deleted; a real API server adds this a moment later.
    draft.metadata.finalizers = [...(draft.metadata.finalizers ?? []), 'customresourcecleanup.apiextensions.k8s.io'];
  },
  validate: crdErrors,
  generation: specGeneration,
  columns: [nameColumn, createdAt],
};
