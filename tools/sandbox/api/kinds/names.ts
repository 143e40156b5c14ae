import { type FieldError, invalid, required } from '../http/status.ts';
import type { Json, KubeObject } from '../json.ts';
import type { NameRule } from './strategy.ts';

// The texts are those of k8s.io/apimachinery/pkg/util/validation: people search for them.
const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomain = `${label}(\\.${label})*`;
const label1035 = '[a-z]([-a-z0-9]*[a-z0-9])?';
const qualified = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';

const whole = (pattern: string): RegExp => new RegExp(`^${pattern}$`);
const used = (example: string, pattern: string): string =>
  `(e.g. ${example}, regex used for validation is '${pattern}')`;

export const isDnsLabel = (value: string): boolean => value.length <= 63 && whole(label).test(value);

export function dnsLabel(value: string): string | undefined {
  if (value.length > 63) return 'must be no more than 63 bytes';
  if (whole(label).test(value)) return undefined;
  return (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an " +
    `alphanumeric character ${used("'my-name',  or '123-abc'", label)}`
  );
}

export function dnsSubdomain(value: string): string | undefined {
  if (value.length > 253) return 'must be no more than 253 bytes';
  if (whole(subdomain).test(value)) return undefined;
  return (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end " +
    `with an alphanumeric character ${used("'example.com'", subdomain)}`
  );
}

export function dnsLabel1035(value: string): string | undefined {
  if (value.length > 63) return 'must be no more than 63 bytes';
  if (whole(label1035).test(value)) return undefined;
  return (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end " +
    `with an alphanumeric character ${used("'my-name',  or 'abc-123'", label1035)}`
  );
}

function pathSegment(value: string): string | undefined {
  if (value === '.' || value === '..') return `may not be '${value}'`;
  const bad = ['/', '%'].find((c) => value.includes(c));
  return bad ? `may not contain '${bad}'` : undefined;
}

const rules: Record<NameRule, (value: string) => string | undefined> = {
  subdomain: dnsSubdomain,
  label: dnsLabel,
  label1035: dnsLabel1035,
  'path-segment': pathSegment,
};

function qualifiedName(value: string): string | undefined {
  const parts = value.split('/');
  const name = parts.at(-1) as string;
  if (
    parts.length > 2 ||
    (parts.length === 2 && !whole(subdomain).test(parts[0] as string)) ||
    !whole(qualified).test(name)
  ) {
    return (
      "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric " +
      `character ${used("'MyName',  or 'my.name',  or '123-abc'", `([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]`)}`
    );
  }
  return name.length > 63 ? 'name part must be no more than 63 bytes' : undefined;
}

function labelValue(value: string): string | undefined {
  if (value.length > 63) return 'must be no more than 63 bytes';
  if (value === '' || whole(qualified).test(value)) return undefined;
  return (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with " +
    `an alphanumeric character ${used("'MyValue',  or 'my_value',  or '12345'", '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')}`
  );
}

/** Faults of a map of labels at `path`. */
export function labelErrors(labels: Record<string, string> | undefined, path: string): FieldError[] {
  return Object.entries(labels ?? {}).flatMap(([key, value]) => {
    const badKey = qualifiedName(key);
    const badValue = labelValue(value);
    return [...(badKey ? [invalid(path, key, badKey)] : []), ...(badValue ? [invalid(path, value, badValue)] : [])];
  });
}

/** Faults of an object's metadata. */
export function metadataErrors(object: KubeObject, rule: NameRule): FieldError[] {
  const { name, labels, annotations, finalizers, ownerReferences } = object.metadata;
  const errors: FieldError[] = [];
  if (!name) errors.push(required('metadata.name', 'name or generateName is required'));
  else {
    const bad = rules[rule](name);
    if (bad) errors.push(invalid('metadata.name', name, bad));
  }
  errors.push(...labelErrors(labels, 'metadata.labels'));
  for (const key of Object.keys(annotations ?? {})) {
    const bad = qualifiedName(key.toLowerCase());
    if (bad) errors.push(invalid('metadata.annotations', key, bad));
  }
  for (const finalizer of finalizers ?? []) {
    const bad = qualifiedName(finalizer);
    if (bad) errors.push(invalid('metadata.finalizers', finalizer, bad));
  }
  (ownerReferences ?? []).forEach((owner: Json, i) => {
    for (const key of ['apiVersion', 'kind', 'name', 'uid']) {
      if (!owner[key]) errors.push(invalid(`metadata.ownerReferences[${i}].${key}`, '', `${key} must not be empty`));
    }
  });
  return errors;
}
