/** Objects with sound values: a test states only what matters to it. */

export const deployment = (name: string, spec: object = {}): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'main', image: 'example/app:1' }], terminationGracePeriodSeconds: 0 },
    },
    ...spec,
  },
});

export const configMap = (name: string, data: object = { key: 'value' }, metadata: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
  data,
});

export const pod = (name: string, spec: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { containers: [{ name: 'main', image: 'example/app:1' }], ...spec },
});

export const event = (name: string, namespace: string, more: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name },
  involvedObject: { kind: 'Pod', name: 'web', namespace },
  reason: 'BackOff',
  message: 'Back-off restarting failed container',
  type: 'Warning',
  count: 1,
  ...more,
});

export const ingress = (name: string, path: object, host = 'shop.example'): object => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name },
  spec: {
    rules: [{ host, http: { paths: [{ backend: { service: { name: 'web', port: { number: 80 } } }, ...path }] } }],
  },
});

/** A definition of a kind of its own, so that test files can run side by side on one cluster. */
export const widgetDefinition = (group: string, schema: object, more: object = {}): object => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `widgets.${group}` },
  spec: {
    group,
    scope: 'Namespaced',
    names: { plural: 'widgets', kind: 'Widget' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: { spec: schema, status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          },
        },
        ...more,
      },
    ],
  },
});
