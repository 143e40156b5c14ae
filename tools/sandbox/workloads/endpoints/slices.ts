import { type Endpoint, type EndpointPort, type PodObject, type ServiceObject, hasEnded, isReady } from '../objects.ts';

/** What a slice of a Service should hold. */
export interface WantedSlice {
  ports: EndpointPort[];
  endpoints: Endpoint[];
}

const mostPerSlice = 100; // as the real controller's default

/** The pod's number of a Service's port; a named target port is looked up in the pod. */
function resolvePort(pod: PodObject, target: number | string, protocol: string): number | undefined {
  if (typeof target === 'number') return target;
  for (const { ports = [] } of pod.spec.containers) {
    const found = ports.find((port) => port.name === target && (port.protocol ?? 'TCP') === protocol);
    if (found) return found.containerPort;
  }
  return undefined;
}

function portsOf({ spec }: ServiceObject, pod: PodObject): EndpointPort[] {
  return (spec.ports ?? []).flatMap(({ name = '', targetPort, protocol, appProtocol }) => {
    const port = resolvePort(pod, targetPort, protocol);
    return port === undefined ? [] : [{ name, port, protocol, ...(appProtocol ? { appProtocol } : {}) }];
  });
}

function endpoint(service: ServiceObject, pod: PodObject): Endpoint {
  const { name, namespace, uid, deletionTimestamp } = pod.metadata;
  const serving = isReady(pod);
  const terminating = deletionTimestamp !== undefined;
  const ready = service.spec.publishNotReadyAddresses === true || (serving && !terminating);
  return {
    addresses: [pod.status.podIP as string],
    conditions: { ready, serving, terminating },
    ...(pod.spec.nodeName ? { nodeName: pod.spec.nodeName } : {}),
    targetRef: { kind: 'Pod', namespace, name, uid },
  };
}

/**
 * The slices that a Service should have, given the pods it selects: pods with an address on a node that exists, those
 * with the same port numbers together, at most a hundred a slice. Ordered, so that the same pods give the same slices.
 */
export function wantedSlices(
  service: ServiceObject,
  pods: readonly PodObject[],
  nodeExists: (name: string) => boolean,
): WantedSlice[] {
  const groups = new Map<string, WantedSlice>();
  const ordered = [...pods].sort((a, b) => a.metadata.name.localeCompare(b.metadata.name));
  for (const pod of ordered) {
    if (!pod.status.podIP || hasEnded(pod)) continue;
    if (pod.spec.nodeName && !nodeExists(pod.spec.nodeName)) continue;
    const ports = portsOf(service, pod);
    const key = JSON.stringify(ports);
    const group = groups.get(key) ?? { ports, endpoints: [] };
    group.endpoints.push(endpoint(service, pod));
    groups.set(key, group);
  }
  // A Service without endpoints has an empty slice: "nobody" is known, rather than nothing.
  if (groups.size === 0) return [{ ports: [], endpoints: [] }];
  return [...groups.values()].flatMap(({ ports, endpoints }) =>
    Array.from({ length: Math.ceil(endpoints.length / mostPerSlice) }, (_, i) => ({
      ports,
      endpoints: endpoints.slice(i * mostPerSlice, (i + 1) * mostPerSlice),
    })),
  );
}
