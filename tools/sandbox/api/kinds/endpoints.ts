import { type FieldError, invalid, notSupported, required } from '../http/status.ts';
import type { Json } from '../json.ts';
import { age, nameColumn } from './columns.ts';
import type { Strategy } from './strategy.ts';

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
