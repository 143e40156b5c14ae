import { type FieldError, invalid, notSupported, required } from '../http/status.ts';
import type { Json, KubeObject } from '../json.ts';
import { age, nameColumn } from './columns.ts';
import { dnsSubdomain } from './names.ts';
import { portRange, validPort } from './ports.ts';
import { type Strategy, specGeneration } from './strategy.ts';

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
      if (!path.pathType) {
        // The real server looks no further.
        errors.push(required(`${at}.pathType`, 'pathType must be specified'));
        return;
      }
      if (!['Exact', 'Prefix', 'ImplementationSpecific'].includes(path.pathType)) {
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
  onCreate(draft, context) {
    draft.status = { loadBalancer: {} };
    if (draft.spec.ingressClassName || draft.metadata.annotations?.['kubernetes.io/ingress.class']) return;
    const chosen = context
      .list('networking.k8s.io/ingressclasses')
      .find((c) => c.metadata.annotations?.[defaultClass] === 'true');
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
