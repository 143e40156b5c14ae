import type { Ingress } from './ingress-nginx.ts';

/** The user's Ingress of host shop.example, whose path / goes to the Service; null for a backend that is none. */
export function anIngress(service: string | null = 'shop-v1', annotations?: Record<string, string>): Ingress {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'shop', namespace: 'demo', resourceVersion: '7', ...(annotations ? { annotations } : {}) },
    spec: {
      ingressClassName: 'nginx',
      rules: [
        { host: 'other.example', http: { paths: [] } },
        {
          host: 'shop.example',
          http: {
            paths: [
              { path: '/static', pathType: 'Prefix', backend: { service: { name: 'files', port: { number: 80 } } } },
              {
                path: '/',
                pathType: 'Prefix',
                backend: service === null ? {} : { service: { name: service, port: { name: 'http' } } },
              },
            ],
          },
        },
      ],
    },
  };
}
