import { KubernetesError } from '@keelson/kubernetes';
import { installUntilThere } from './install-definition.ts';

const log = { warn: () => undefined };
const forbidden = (): never => {
  throw new KubernetesError(403, { message: 'customresourcedefinitions is forbidden' });
};

describe('the definition of Canary', () => {
  test('is installed again and again until the API server takes it', async () => {
    let tries = 0;
    const install = async () => {
      tries += 1;
      if (tries < 3) throw new Error('ECONNREFUSED');
    };
    const { done } = installUntilThere(install, { log, isThere: async () => false, pauseMs: 1 });
    expect(await done).toBe(true);
    expect(tries).toBe(3);
  });

  test('need not be installed where that is forbidden and somebody else did', async () => {
    const { done } = installUntilThere(async () => forbidden(), { log, isThere: async () => true, pauseMs: 1 });
    expect(await done).toBe(true);
  });

  test('is waited for where it may not be installed and is not there yet', async () => {
    let asked = 0;
    const isThere = async () => (asked += 1) > 2;
    const { done } = installUntilThere(async () => forbidden(), { log, isThere, pauseMs: 1 });
    expect(await done).toBe(true);
    expect(asked).toBe(3);
  });

  test('is given up at the end of the service', async () => {
    const installing = installUntilThere(async () => forbidden(), {
      log,
      isThere: async () => false,
      pauseMs: 60_000,
    });
    installing.stop();
    expect(await installing.done).toBe(false);
  });
});
