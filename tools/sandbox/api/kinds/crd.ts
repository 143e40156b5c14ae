import { createdAt, nameColumn } from './columns.ts';
import { type Strategy, specGeneration } from './strategy.ts';
import { crdErrors, defaultCrd } from '../custom/definition.ts';

export const customResourceDefinitions: Strategy = {
  defaults: defaultCrd,
  onCreate: (draft) =>
    void (draft.status = { conditions: [], acceptedNames: { plural: '', kind: '' }, storedVersions: [] }),
  validate: crdErrors,
  generation: specGeneration,
  columns: [nameColumn, createdAt],
};
