import type { EndpointSlice, Service } from '../kubernetes-objects.ts';

export type Endpoint = { address: string; port: number };

/**
 * The endpoints of a Service's port: those that are ready; if there is none, those that still serve while they
 * terminate (as kube-proxy, KEP-1669), so that the last pod of a Service is not cut off. Sorted, without doubles. Pure.
 * `port` is as the Ingress writes it: number or name of a port of the Service.
 */
export function endpointsOf(service: Service | undefined, port: string, slices: readonly EndpointSlice[]): Endpoint[] {
  const declared = service?.spec?.ports?.find(
    (p) => String(p.port) === port || (p.name !== undefined && p.name === port),
  );
  if (declared === undefined) return [];
  const ready = new Map<string, Endpoint>();
  const terminating = new Map<string, Endpoint>();
  for (const slice of slices) {
    if (slice.addressType !== 'IPv4') continue;
    const slicePort = slice.ports?.find((p) => (p.name ?? '') === (declared.name ?? ''))?.port;
    if (slicePort === undefined || slicePort === null) continue;
    for (const { addresses, conditions = {} } of slice.endpoints ?? []) {
      const address = addresses[0];
      if (address === undefined) continue;
      const endpoint = { address, port: slicePort };
      const key = `${address}:${slicePort}`;
      // A missing condition counts as true (discovery.k8s.io/v1), `terminating` as false.
      if (conditions.ready ?? true) ready.set(key, endpoint);
      else if ((conditions.serving ?? false) && (conditions.terminating ?? false)) terminating.set(key, endpoint);
    }
  }
  const chosen = ready.size > 0 ? ready : terminating;
  return [...chosen.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, endpoint]) => endpoint);
}
