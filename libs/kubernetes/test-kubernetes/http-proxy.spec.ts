import { accessFromKubeconfig, KubernetesClient, resources } from '@keelson/kubernetes';
import { eventually, testCluster, type TestCluster } from '@keelson/testing';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { record, stopRecorders } from './recorder.ts';

let cluster: TestCluster;
let proxy: Server;
const tunnels: string[] = [];
const sockets = new Set<Socket>();

beforeAll(async () => {
  cluster = await testCluster();
  // RFC 9110 9.3.6: a tunnel for whatever the client speaks, here TLS with the API server.
  proxy = createServer().on('connect', (request, client: Socket, head) => {
    tunnels.push(request.url ?? '');
    const { hostname, port } = new URL(`http://${request.url}`);
    const upstream = connect(Number(port), hostname, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.write(head);
      upstream.pipe(client).pipe(upstream);
    });
    for (const socket of [client, upstream]) sockets.add(socket.on('error', () => socket.destroy()));
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  await stopRecorders();
  for (const socket of sockets) socket.destroy();
  proxy?.close();
  await cluster?.stop();
});

test("requests and watches go through the kubeconfig's proxy-url, verified end to end", async () => {
  const access = accessFromKubeconfig(cluster.kubeconfig);
  const proxyUrl = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const client = new KubernetesClient({ ...access, proxyUrl });
  const namespace = await cluster.namespace();
  const { told } = record({ client, resource: resources.configMaps, namespace, labelSelector: 'test=proxy' });
  await eventually(() => told.length === 1);
  await client.create(resources.configMaps, { metadata: { name: 'a', namespace, labels: { test: 'proxy' } } });
  await eventually(() => told.length === 2);
  expect(new Set(tunnels)).toEqual(new Set([new URL(access.server).host]));
  expect(tunnels.length).toBeGreaterThanOrEqual(2);
  client.close();
});
