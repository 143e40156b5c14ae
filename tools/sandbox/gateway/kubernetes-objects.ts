/** The parts of the Kubernetes objects that the gateway reads, as they travel in JSON. */
import { defineResource } from '@keelson/kubernetes';

export type ObjectMeta = {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  annotations?: Record<string, string>;
  labels?: Record<string, string>;
};

export type ServiceBackend = { name: string; port?: { name?: string; number?: number } };
export type IngressBackend = { service?: ServiceBackend; resource?: unknown };
export type PathType = 'Exact' | 'Prefix' | 'ImplementationSpecific';

export type Ingress = {
  metadata: ObjectMeta;
  spec?: {
    ingressClassName?: string;
    defaultBackend?: IngressBackend;
    tls?: { hosts?: string[]; secretName?: string }[];
    rules?: { host?: string; http?: { paths: { path?: string; pathType: PathType; backend: IngressBackend }[] } }[];
  };
  status?: { loadBalancer?: { ingress?: { ip?: string; hostname?: string }[] } };
};

export type Service = {
  metadata: ObjectMeta;
  spec?: { type?: string; ports?: { name?: string; port: number; targetPort?: number | string }[] };
};

export type EndpointSlice = {
  metadata: ObjectMeta;
  addressType: string;
  ports?: { name?: string | null; port?: number | null; protocol?: string | null }[] | null;
  endpoints?:
    | {
        addresses: string[];
        conditions?: { ready?: boolean | null; serving?: boolean | null; terminating?: boolean | null };
        targetRef?: { name?: string };
      }[]
    | null;
};

export type Secret = { metadata: ObjectMeta; type?: string; data?: Record<string, string> };

export const ingressResource = defineResource<Ingress>({
  apiVersion: 'networking.k8s.io/v1',
  plural: 'ingresses',
  kind: 'Ingress',
  namespaced: true,
});
export const serviceResource = defineResource<Service>({
  apiVersion: 'v1',
  plural: 'services',
  kind: 'Service',
  namespaced: true,
});
export const endpointSliceResource = defineResource<EndpointSlice>({
  apiVersion: 'discovery.k8s.io/v1',
  plural: 'endpointslices',
  kind: 'EndpointSlice',
  namespaced: true,
});
export const secretResource = defineResource<Secret>({
  apiVersion: 'v1',
  plural: 'secrets',
  kind: 'Secret',
  namespaced: true,
});
