import SizeSequencer from '@jest/test-sequencer';

/** Small files that take long: they wait for servers that are started, killed and waited for. */
const slow = [
  '/tools/faults/test-parts/',
  '/tools/run/test/deployable.spec.ts',
  '/libs/testing/test/rabbitmq.spec.ts',
  '/libs/testing/test-parts/rabbitmq-cluster.spec.ts',
  '/libs/messaging/test/broker-faults.spec.ts',
  '/libs/messaging/test/outbox-faults.spec.ts',
  '/apps/order-demo/test/faults.spec.ts',
  '/apps/canary-controller/test-kubernetes/faults.alone.spec.ts',
  '/apps/canary-controller/test-kubernetes/processes.alone.spec.ts',
];

/**
 * Jest knows from the run before how long a file takes. In a fresh clone it takes the largest first, and a small one that
 * takes a minute would come last, when nothing is left to run beside it.
 */
export default class extends SizeSequencer {
  sort(tests) {
    const isSlow = ({ path }) => slow.some((part) => path.includes(part));
    const bySize = super.sort(tests);
    return [...bySize.filter(isSlow), ...bySize.filter((test) => !isSlow(test))];
  }
}
