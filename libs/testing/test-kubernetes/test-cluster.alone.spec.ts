import { readFileSync } from 'node:fs';
import { testCluster, type TestCluster } from '@keelson/testing';
import { parse } from 'yaml';

describe('a cluster for tests', () => {
  let cluster: TestCluster;

  beforeAll(async () => {
    cluster = await testCluster();
  });

  afterAll(() => cluster.stop());

  test('is named by a kubeconfig and gives namespaces of one’s own', async () => {
    const config = parse(readFileSync(cluster.kubeconfig, 'utf8')) as { clusters: { cluster: { server: string } }[] };
    expect(config.clusters[0]?.cluster.server).toMatch(/^https:\/\//);
    const names = [await cluster.namespace(), await cluster.namespace()];
    expect(new Set(names).size).toBe(2);
  });

  test('can be made to forget its history', async () => {
    await expect(cluster.compact()).resolves.toBeUndefined();
  });
});
