import { invalid } from '../http/status.ts';
import { age, nameColumn } from './columns.ts';
import type { Strategy } from './strategy.ts';

export const leases: Strategy = {
  validate: ({ spec = {} }) => [
    ...(spec.leaseDurationSeconds !== undefined && spec.leaseDurationSeconds <= 0
      ? [invalid('spec.leaseDurationSeconds', spec.leaseDurationSeconds, 'must be greater than 0')]
      : []),
    ...(spec.leaseTransitions < 0
      ? [invalid('spec.leaseTransitions', spec.leaseTransitions, 'must be greater than or equal to 0')]
      : []),
  ],
  columns: [nameColumn, { name: 'Holder', type: 'string', value: (o) => o['spec']?.holderIdentity ?? '' }, age],
};
