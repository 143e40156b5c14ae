import { type FieldError, duplicate, invalid, notSupported, required } from '../http/status.ts';
import type { Json } from '../json.ts';
import { dnsLabel, dnsSubdomain } from './names.ts';

function defaultProbe(probe: Json): void {
  if (!probe) return;
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  if (probe.httpGet) {
    probe.httpGet.path ||= '/';
    probe.httpGet.scheme ||= 'HTTP';
  }
}

/** `IfNotPresent` for a tagged image, `Always` for `latest` or none. */
const pullPolicy = (image: string): string =>
  /@sha256:/.test(image) || (/:[^/]+$/.test(image) && !image.endsWith(':latest')) ? 'IfNotPresent' : 'Always';

/** What k8s.io/kubernetes/pkg/apis/core/v1/defaults.go fills in. */
export function defaultPodSpec(spec: Json): void {
  spec.restartPolicy ||= 'Always';
  spec.terminationGracePeriodSeconds ??= 30;
  spec.dnsPolicy ||= 'ClusterFirst';
  spec.securityContext ??= {};
  spec.schedulerName ||= 'default-scheduler';
  if (spec.serviceAccountName) spec.serviceAccount = spec.serviceAccountName;
  else if (spec.serviceAccount) spec.serviceAccountName = spec.serviceAccount;
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
    container.resources ??= {};
    container.terminationMessagePath ||= '/dev/termination-log';
    container.terminationMessagePolicy ||= 'File';
    container.imagePullPolicy ||= pullPolicy(container.image ?? '');
    for (const port of container.ports ?? []) port.protocol ||= 'TCP';
    for (const kind of ['livenessProbe', 'readinessProbe', 'startupProbe']) defaultProbe(container[kind]);
    for (const env of container.env ?? []) {
      if (env.valueFrom?.fieldRef) env.valueFrom.fieldRef.apiVersion ||= 'v1';
    }
  }
  for (const volume of spec.volumes ?? []) {
    if (volume.secret) volume.secret.defaultMode ??= 420;
    if (volume.configMap) volume.configMap.defaultMode ??= 420;
    if (volume.projected) volume.projected.defaultMode ??= 420;
    if (volume.downwardAPI) volume.downwardAPI.defaultMode ??= 420;
    if (volume.hostPath) volume.hostPath.type ??= '';
  }
}

function portErrors(port: Json, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const number = port.containerPort;
  if (!number) errors.push(required(`${path}.containerPort`));
  else if (number < 1 || number > 65535) {
    errors.push(invalid(`${path}.containerPort`, number, 'must be between 1 and 65535, inclusive'));
  }
  if (port.protocol && !['TCP', 'UDP', 'SCTP'].includes(port.protocol)) {
    errors.push(notSupported(`${path}.protocol`, port.protocol, ['SCTP', 'TCP', 'UDP']));
  }
  return errors;
}

function probeErrors(probe: Json, path: string): FieldError[] {
  if (!probe) return [];
  const errors: FieldError[] = [];
  const handlers = ['exec', 'httpGet', 'tcpSocket', 'grpc'].filter((kind) => probe[kind]);
  if (handlers.length === 0) errors.push(required(path, 'must specify a handler type'));
  for (const kind of handlers.slice(1)) {
    errors.push({
      reason: 'FieldValueForbidden',
      field: `${path}.${kind}`,
      message: 'Forbidden: may not specify more than 1 handler type',
    });
  }
  for (const key of [
    'initialDelaySeconds',
    'timeoutSeconds',
    'periodSeconds',
    'successThreshold',
    'failureThreshold',
  ]) {
    if (probe[key] < 0) errors.push(invalid(`${path}.${key}`, probe[key], 'must be greater than or equal to 0'));
  }
  if (/liveness|startup/.test(path) && probe.successThreshold !== 1) {
    errors.push(invalid(`${path}.successThreshold`, probe.successThreshold, 'must be 1'));
  }
  return errors;
}

function containerErrors(container: Json, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!container.name) errors.push(required(`${path}.name`));
  else {
    const bad = dnsLabel(container.name);
    if (bad) errors.push(invalid(`${path}.name`, container.name, bad));
  }
  if (!container.image) errors.push(required(`${path}.image`));
  (container.ports ?? []).forEach((port: Json, i: number) => errors.push(...portErrors(port, `${path}.ports[${i}]`)));
  (container.env ?? []).forEach((env: Json, i: number) => {
    if (!env.name) errors.push(required(`${path}.env[${i}].name`));
    if (env.value && env.valueFrom) {
      errors.push(invalid(`${path}.env[${i}].valueFrom`, '', 'may not be specified when `value` is not empty'));
    }
  });
  for (const kind of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
    errors.push(...probeErrors(container[kind], `${path}.${kind}`));
  }
  if (!['Always', 'IfNotPresent', 'Never'].includes(container.imagePullPolicy)) {
    errors.push(
      notSupported(`${path}.imagePullPolicy`, container.imagePullPolicy, ['Always', 'IfNotPresent', 'Never']),
    );
  }
  return errors;
}

/** Faults of a pod's spec, of the fields that the sandbox's node reads. */
export function podSpecErrors(spec: Json, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  if (!spec?.containers?.length) errors.push(required(`${path}.containers`));
  for (const list of ['initContainers', 'containers']) {
    (spec?.[list] ?? []).forEach((container: Json, i: number) => {
      errors.push(...containerErrors(container, `${path}.${list}[${i}]`));
      if (names.has(container.name)) errors.push(duplicate(`${path}.${list}[${i}].name`, container.name));
      names.add(container.name);
    });
  }
  const volumes = new Set((spec?.volumes ?? []).map((v: Json) => v.name));
  (spec?.containers ?? []).forEach((container: Json, i: number) => {
    (container.volumeMounts ?? []).forEach((mount: Json, j: number) => {
      if (volumes.has(mount.name)) return;
      errors.push({
        reason: 'FieldValueNotFound',
        field: `${path}.containers[${i}].volumeMounts[${j}].name`,
        message: `Not found: ${JSON.stringify(mount.name)}`,
      });
    });
  });
  if (spec && !['Always', 'OnFailure', 'Never'].includes(spec.restartPolicy)) {
    errors.push(notSupported(`${path}.restartPolicy`, spec.restartPolicy, ['Always', 'OnFailure', 'Never']));
  }
  if (spec?.terminationGracePeriodSeconds < 0) {
    errors.push(
      invalid(
        `${path}.terminationGracePeriodSeconds`,
        spec.terminationGracePeriodSeconds,
        'must be greater than or equal to 0',
      ),
    );
  }
  for (const key of ['nodeName', 'serviceAccountName']) {
    const bad = spec?.[key] ? dnsSubdomain(spec[key]) : undefined;
    if (bad) errors.push(invalid(`${path}.${key}`, spec[key], bad));
  }
  return errors;
}
