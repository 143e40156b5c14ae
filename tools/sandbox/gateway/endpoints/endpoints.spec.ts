import type { EndpointSlice, Service } from '../kubernetes-objects.ts';
import { endpointsOf } from './endpoints.ts';

const service: Service = {
  metadata: { name: 'web', namespace: 'shop' },
  spec: {
    ports: [
      { name: 'http', port: 80, targetPort: 'web' },
      { name: 'admin', port: 81 },
    ],
  },
};
type Conditions = { ready?: boolean; serving?: boolean; terminating?: boolean };
const aSlice = (endpoints: [string, Conditions?][], ports = [{ name: 'http', port: 8080 }]): EndpointSlice => ({
  metadata: { name: 's' },
  addressType: 'IPv4',
  ports,
  endpoints: endpoints.map(([address, conditions]) => ({ addresses: [address], ...(conditions && { conditions }) })),
});
const addresses = (slices: EndpointSlice[], port = '80'): string[] =>
  endpointsOf(service, port, slices).map((endpoint) => `${endpoint.address}:${endpoint.port}`);

describe('the endpoints of a Service port', () => {
  test('are the ready ones of all slices, once each', () => {
    const slices = [
      aSlice([['10.1.1.2'], ['10.1.1.1', { ready: true }]]),
      aSlice([['10.1.1.2'], ['10.1.1.9', { ready: false }]]),
    ];
    expect(addresses(slices)).toEqual(['10.1.1.1:8080', '10.1.1.2:8080']);
  });

  test('the port is found by number or by name, and must be that of the Service', () => {
    const slices = [
      aSlice(
        [['10.1.1.1']],
        [
          { name: 'http', port: 8080 },
          { name: 'admin', port: 9000 },
        ],
      ),
    ];
    expect(addresses(slices, '81')).toEqual(['10.1.1.1:9000']);
    expect(addresses(slices, 'admin')).toEqual(['10.1.1.1:9000']);
    expect(addresses(slices, '8080')).toEqual([]);
    expect(endpointsOf(undefined, '80', slices)).toEqual([]);
  });

  test('those that serve while they terminate are used only when none is ready', () => {
    const leaving: Conditions = { ready: false, serving: true, terminating: true };
    expect(
      addresses([
        aSlice([
          ['10.1.1.1', leaving],
          ['10.1.1.2', { ready: true }],
        ]),
      ]),
    ).toEqual(['10.1.1.2:8080']);
    expect(
      addresses([
        aSlice([
          ['10.1.1.1', leaving],
          ['10.1.1.2', { ready: false, serving: false }],
        ]),
      ]),
    ).toEqual(['10.1.1.1:8080']);
    expect(addresses([aSlice([['10.1.1.1', { ready: false, serving: true }]])])).toEqual([]);
  });
});
