import { type FieldError, duplicate, invalid, notSupported, required } from '../http/status.ts';
import { type Json, type KubeObject } from '../json.ts';
import { age, nameColumn, shownLabels } from './columns.ts';
import { dnsLabel, dnsSubdomain } from './names.ts';
import { type Context, type Strategy, specGeneration } from './strategy.ts';

const validPort = (n: Json): boolean => Number.isInteger(n) && n >= 1 && n <= 65535;
const portRange = 'must be between 1 and 65535, inclusive';

/** The next free address of 10.96.0.0/16; nothing listens there: the sandbox has no kube-proxy, the gateway uses endpoints. */
function allocate({ list }: Context): string {
  const used = new Set(list('/services').map((s) => s['spec'].clusterIP));
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

const hostErrors = (host: string, path: string): FieldError[] => {
  if (/^\d+\.\d+\.\d+\.\d+$/.test(host)) return [invalid(path, host, 'must be a DNS name, not an IP address')];
  const bad = dnsSubdomain(host.replace(/^\*\./, ''));
  if (!bad) return [];
  return host.startsWith('*.') || host.includes('*')
    ? [
        invalid(
          path,
          host,
          "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
        ),
      ]
    : [invalid(path, host, bad)];
};

function backendErrors(backend: Json, path: string): FieldError[] {
  if (!backend?.service && !backend?.resource) return [invalid(path, '', 'resource or service backend is required')];
  if (!backend.service) return [];
  const { name, port } = backend.service;
  const errors: FieldError[] = [];
  if (!name) errors.push(required(`${path}.service.name`));
  if (!port || (!port.name && !port.number)) errors.push(required(path, 'port name or number is required'));
  else if (port.name && port.number) {
    errors.push(invalid(`${path}.service.port`, port, 'cannot set both port name & port number'));
  } else if (port.number !== undefined && !port.name && !validPort(port.number)) {
    errors.push(invalid(`${path}.service.port.number`, port.number, portRange));
  }
  return errors;
}

function ingressErrors({ spec }: Json): FieldError[] {
  const errors: FieldError[] = [];
  if (!spec?.rules?.length && !spec?.defaultBackend) {
    errors.push(invalid('spec', spec?.rules, 'either `defaultBackend` or `rules` must be specified'));
  }
  if (spec?.defaultBackend) errors.push(...backendErrors(spec.defaultBackend, 'spec.defaultBackend'));
  (spec?.rules ?? []).forEach((rule: Json, i: number) => {
    if (rule.host) errors.push(...hostErrors(rule.host, `spec.rules[${i}].host`));
    if (!rule.http) return;
    const paths = rule.http.paths ?? [];
    if (paths.length === 0) errors.push(required(`spec.rules[${i}].http.paths`));
    paths.forEach((path: Json, j: number) => {
      const at = `spec.rules[${i}].http.paths[${j}]`;
      if (!path.pathType) errors.push(required(`${at}.pathType`, 'pathType must be specified'));
      else if (!['Exact', 'Prefix', 'ImplementationSpecific'].includes(path.pathType)) {
        errors.push(notSupported(`${at}.pathType`, path.pathType, ['Exact', 'ImplementationSpecific', 'Prefix']));
      } else if (path.pathType !== 'ImplementationSpecific' || path.path) {
        if (!path.path?.startsWith('/'))
          errors.push(invalid(`${at}.path`, path.path ?? '', 'must be an absolute path'));
        else if (path.pathType !== 'ImplementationSpecific') {
          for (const bad of ['//', '/./', '/../', '%2f', '%2F']) {
            if (path.path.includes(bad)) errors.push(invalid(`${at}.path`, path.path, `must not contain '${bad}'`));
          }
        }
      }
      errors.push(...backendErrors(path.backend, `${at}.backend`));
    });
  });
  (spec?.tls ?? []).forEach((tls: Json, i: number) => {
    (tls.hosts ?? []).forEach((host: string, j: number) =>
      errors.push(...hostErrors(host, `spec.tls[${i}].hosts[${j}]`)),
    );
  });
  return errors;
}

const hosts = (o: KubeObject): string => {
  const found = (o['spec'].rules ?? []).map((r: Json) => r.host).filter(Boolean) as string[];
  if (found.length === 0) return '*';
  return found.length > 3 ? `${found.slice(0, 3).join(',')} + ${found.length - 3} more...` : found.join(',');
};

const defaultClass = 'ingressclass.kubernetes.io/is-default-class';

export const ingresses: Strategy = {
  defaults(draft) {
    draft.spec ??= {};
    draft.status ??= { loadBalancer: {} };
  },
  onCreate(draft, { list }) {
    draft.status = { loadBalancer: {} };
    if (draft.spec.ingressClassName || draft.metadata.annotations?.['kubernetes.io/ingress.class']) return;
    const chosen = list('networking.k8s.io/ingressclasses').find(
      (c) => c.metadata.annotations?.[defaultClass] === 'true',
    );
    if (chosen) draft.spec.ingressClassName = chosen.metadata.name;
  },
  validate: ingressErrors,
  generation: specGeneration,
  columns: [
    nameColumn,
    {
      name: 'Class',
      type: 'string',
      value: (o) => o['spec'].ingressClassName || o.metadata.annotations?.['kubernetes.io/ingress.class'] || '<none>',
    },
    { name: 'Hosts', type: 'string', value: hosts },
    {
      name: 'Address',
      type: 'string',
      value: (o) => (o['status'].loadBalancer?.ingress ?? []).map((i: Json) => i.ip || i.hostname).join(','),
    },
    { name: 'Ports', type: 'string', value: (o) => (o['spec'].tls?.length ? '80, 443' : '80') },
    age,
  ],
};

export const ingressClasses: Strategy = {
  generation: specGeneration,
  validateUpdate: (o, old) =>
    o.spec?.controller === old.spec?.controller
      ? []
      : [invalid('spec.controller', o.spec?.controller, 'field is immutable')],
  columns: [
    nameColumn,
    { name: 'Controller', type: 'string', value: (o) => o['spec']?.controller ?? '' },
    {
      name: 'Parameters',
      type: 'string',
      value: (o) => {
        const p = o['spec']?.parameters;
        return p ? `${p.kind}${p.apiGroup ? `.${p.apiGroup}` : ''}/${p.name}` : '<none>';
      },
    },
    age,
  ],
};

const isV4 = (ip: string): boolean => /^\d+\.\d+\.\d+\.\d+$/.test(ip) && ip.split('.').every((n) => Number(n) < 256);

function addressErrors(ip: string, path: string): FieldError[] {
  if (!isV4(ip)) return [invalid(path, ip, 'must be a valid IPv4 address')];
  // As the real API server: an address that means another place on every machine is no endpoint.
  if (ip.startsWith('127.')) return [invalid(path, ip, 'may not be in the loopback range (127.0.0.0/8, ::1/128)')];
  if (ip.startsWith('169.254.'))
    return [invalid(path, ip, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)')];
  return ip === '0.0.0.0' ? [invalid(path, ip, 'may not be unspecified (0.0.0.0 or ::)')] : [];
}

export const endpointSlices: Strategy = {
  defaults(draft) {
    // Without any it is null on the wire, as a real API server's nil list is: clients must bear that.
    draft.endpoints ??= null;
    for (const endpoint of draft.endpoints ?? []) endpoint.conditions ??= {};
    for (const port of draft.ports ?? []) {
      port.name ??= '';
      port.protocol ??= 'TCP';
    }
  },
  validate: (o) => [
    ...(['IPv4', 'IPv6', 'FQDN'].includes(o.addressType)
      ? []
      : [
          o.addressType
            ? notSupported('addressType', o.addressType, ['FQDN', 'IPv4', 'IPv6'])
            : required('addressType'),
        ]),
    ...(o.endpoints ?? []).flatMap((e: Json, i: number) =>
      e.addresses?.length
        ? o.addressType === 'IPv4'
          ? e.addresses.flatMap((ip: string, j: number) => addressErrors(ip, `endpoints[${i}].addresses[${j}]`))
          : []
        : [required(`endpoints[${i}].addresses`, 'must contain at least 1 address')],
    ),
  ],
  validateUpdate: (o, old) =>
    o.addressType === old.addressType ? [] : [invalid('addressType', o.addressType, 'field is immutable')],
  generation: (o) => [o.endpoints, o.ports],
  columns: [
    nameColumn,
    { name: 'AddressType', type: 'string', value: (o) => o['addressType'] },
    {
      name: 'Ports',
      type: 'string',
      value: (o) =>
        shorten(
          (o['ports'] ?? []).map((p: Json) => String(p.port ?? '*')),
          '<unset>',
        ),
    },
    {
      name: 'Endpoints',
      type: 'string',
      value: (o) =>
        shorten(
          (o['endpoints'] ?? []).flatMap((e: Json) => e.addresses ?? []),
          '<unset>',
        ),
    },
    age,
  ],
};

function shorten(values: string[], none: string): string {
  if (values.length === 0) return none;
  return values.length > 3 ? `${values.slice(0, 3).join(',')} + ${values.length - 3} more...` : values.join(',');
}

export const endpoints: Strategy = {
  validate: (o) =>
    (o.subsets ?? []).flatMap((s: Json, i: number) =>
      (s.addresses ?? []).flatMap((a: Json, j: number) => addressErrors(a.ip, `subsets[${i}].addresses[${j}].ip`)),
    ),
  warnings: () => ['v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice'],
  columns: [
    nameColumn,
    {
      name: 'Endpoints',
      type: 'string',
      value: (o) =>
        shorten(
          (o['subsets'] ?? []).flatMap((s: Json) =>
            (s.addresses ?? []).flatMap((a: Json) => (s.ports ?? []).map((p: Json) => `${a.ip}:${p.port}`)),
          ),
          '<none>',
        ),
    },
    age,
  ],
};
