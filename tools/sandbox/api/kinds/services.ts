import { type FieldError, duplicate, invalid, notSupported, required } from '../http/status.ts';
import type { Json, KubeObject } from '../json.ts';
import { age, nameColumn, shownLabels } from './columns.ts';
import { dnsLabel } from './names.ts';
import { portRange, validPort } from './ports.ts';
import type { Context, Strategy } from './strategy.ts';

/** The next free address of 10.96.0.0/16; nothing listens there: the sandbox has no kube-proxy, the gateway uses endpoints. */
function allocate(context: Context): string {
  const used = new Set(context.list('/services').map((s) => s['spec'].clusterIP));
  for (let i = 10; i < 65_534; i++) {
    const ip = `10.96.${i >> 8}.${i & 255}`;
    if (!used.has(ip)) return ip;
  }
  throw new Error('all addresses of 10.96.0.0/16 are taken');
}

function serviceErrors({ spec }: Json): FieldError[] {
  const errors: FieldError[] = [];
  if (!['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'].includes(spec.type)) {
    errors.push(notSupported('spec.type', spec.type, ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']));
  }
  if (spec.type === 'ExternalName' && !spec.externalName) errors.push(required('spec.externalName'));
  if (!spec.ports?.length && spec.clusterIP !== 'None' && spec.type !== 'ExternalName') {
    errors.push(required('spec.ports'));
  }
  const names = new Set<string>();
  const numbers = new Set<string>();
  (spec.ports ?? []).forEach((port: Json, i: number) => {
    const path = `spec.ports[${i}]`;
    if (!port.name && spec.ports.length > 1) errors.push(required(`${path}.name`));
    else if (port.name) {
      const bad = dnsLabel(port.name);
      if (bad) errors.push(invalid(`${path}.name`, port.name, bad));
      if (names.has(port.name)) errors.push(duplicate(`${path}.name`, port.name));
      names.add(port.name);
    }
    if (!validPort(port.port)) errors.push(invalid(`${path}.port`, port.port ?? 0, portRange));
    if (typeof port.targetPort === 'number' && !validPort(port.targetPort)) {
      errors.push(invalid(`${path}.targetPort`, port.targetPort, portRange));
    }
    if (!['TCP', 'UDP', 'SCTP'].includes(port.protocol)) {
      errors.push(notSupported(`${path}.protocol`, port.protocol, ['SCTP', 'TCP', 'UDP']));
    }
    const number = `${port.protocol}/${port.port}`;
    if (numbers.has(number)) {
      errors.push({
        reason: 'FieldValueDuplicate',
        field: path,
        message: `Duplicate value: ${JSON.stringify({ port: port.port, protocol: port.protocol })}`,
      });
    }
    numbers.add(number);
  });
  return errors;
}

const externalAddress = (o: KubeObject): string => {
  const { spec, status } = o as Json;
  const ingress = (status?.loadBalancer?.ingress ?? []).map((i: Json) => i.ip || i.hostname).join(',');
  const external = (spec.externalIPs ?? []).join(',');
  if (spec.type === 'ExternalName') return spec.externalName;
  if (spec.type === 'LoadBalancer') return [ingress, external].filter(Boolean).join(',') || '<pending>';
  return external || '<none>';
};

const servicePorts = (o: KubeObject): string =>
  (o['spec'].ports ?? [])
    .map((p: Json) => (p.nodePort ? `${p.port}:${p.nodePort}/${p.protocol}` : `${p.port}/${p.protocol}`))
    .join(',') || '<none>';

export const services: Strategy = {
  name: 'label1035',
  defaults(draft) {
    draft.spec ??= {};
    draft.status ??= { loadBalancer: {} };
    const { spec } = draft;
    spec.type ||= 'ClusterIP';
    spec.sessionAffinity ||= 'None';
    for (const port of spec.ports ?? []) {
      port.protocol ||= 'TCP';
      if (port.targetPort === undefined || port.targetPort === '' || port.targetPort === 0) port.targetPort = port.port;
    }
    if (spec.type !== 'ExternalName') spec.internalTrafficPolicy ||= 'Cluster';
  },
  onCreate(draft, context) {
    const { spec } = draft;
    draft.status = { loadBalancer: {} };
    if (spec.type === 'ExternalName') return;
    spec.clusterIP ||= allocate(context);
    spec.clusterIPs ??= [spec.clusterIP];
    spec.ipFamilies ??= ['IPv4'];
    spec.ipFamilyPolicy ??= 'SingleStack';
  },
  onUpdate({ spec }, old) {
    if (spec.type === 'ExternalName') return;
    for (const key of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy']) spec[key] ??= old['spec'][key];
  },
  validate: serviceErrors,
  validateUpdate: (o, old) =>
    old.spec.clusterIP && o.spec.type !== 'ExternalName' && o.spec.clusterIP !== old.spec.clusterIP
      ? [invalid('spec.clusterIPs[0]', [o.spec.clusterIP], 'may not change once set')]
      : [],
  returnsDeleted: true,
  fields: { 'spec.clusterIP': (o) => o.spec.clusterIP ?? '', 'spec.type': (o) => o.spec.type },
  columns: [
    nameColumn,
    { name: 'Type', type: 'string', value: (o) => o['spec'].type },
    { name: 'Cluster-IP', type: 'string', value: (o) => o['spec'].clusterIP || '<none>' },
    { name: 'External-IP', type: 'string', value: externalAddress },
    { name: 'Port(s)', type: 'string', value: servicePorts },
    age,
    { name: 'Selector', type: 'string', priority: 1, value: (o) => shownLabels(o['spec'].selector) },
  ],
};
