import type { IncomingMessage } from 'node:http';
import { applyOutcome, type ApplyOutcome } from './apply.ts';
import { isConflict, isNotFound } from './errors.ts';
import { accessFromEnvironment, accessFromKubeconfig, type ClusterAccess } from './kubeconfig.ts';
import { Requests, type ApiRequest } from './requests.ts';
import { apiVersionOf, resourcePath, type Resource } from './resources.ts';
import type {
  ApplyOptions,
  CallOptions,
  DeleteOptions,
  ListOptions,
  LogOptions,
  ObjectOptions,
  PatchOptions,
  Scale,
  SelectOptions,
  WatchRequest,
  WriteOptions,
} from './options.ts';
import type { KubernetesList, KubernetesObject, ObjectMeta, Status } from './wire.ts';

const patchTypes = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  // Server-side apply is defined on YAML, of which JSON is a part.
  apply: 'application/apply-patch+yaml',
} as const;

/**
 * One cluster's API, as plain JSON. Every method throws KubernetesError when the server says no and
 * KubernetesUnreachableError when it says nothing. 429 and 503 with a Retry-After are waited for within the timeout.
 */
export class KubernetesClient {
  /** Where a namespaced call goes that names no namespace. */
  readonly namespace: string;
  readonly server: string;
  readonly #requests: Requests;

  constructor(access: ClusterAccess) {
    this.#requests = new Requests(access);
    this.namespace = access.namespace;
    this.server = access.server;
  }

  /** A kubeconfig file; without a path `KUBECONFIG`, `~/.kube/config` or the pod's service account. */
  static fromKubeconfig(path?: string, contextName?: string): KubernetesClient {
    return new KubernetesClient(path === undefined ? accessFromEnvironment() : accessFromKubeconfig(path, contextName));
  }

  /** `KUBECONFIG`, else `~/.kube/config`, else the pod's service account. */
  static default(): KubernetesClient {
    return new KubernetesClient(accessFromEnvironment());
  }

  /** Closes idle connections. */
  close(): void {
    this.#requests.close();
  }

  get<T>(
    resource: Resource<T>,
    options: ObjectOptions & { subresource?: string; resourceVersion?: string },
  ): Promise<T> {
    const { resourceVersion } = options;
    return this.#requests.json({
      ...this.#call('GET', resource, this.#inNamespace(resource, options.namespace), options),
      query: { resourceVersion },
    });
  }

  /** As get, but undefined when there is none. */
  async find<T>(resource: Resource<T>, options: ObjectOptions): Promise<T | undefined> {
    try {
      return await this.get(resource, options);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** One page, or all when there is no limit; all namespaces unless one is named. */
  async list<T>(resource: Resource<T>, options: ListOptions = {}): Promise<KubernetesList<T>> {
    const { labelSelector, fieldSelector, limit, continue: token, resourceVersion, resourceVersionMatch } = options;
    const list = await this.#requests.json<KubernetesList<T>>({
      ...this.#call('GET', resource, options.namespace, { signal: options.signal, timeoutMs: options.timeoutMs }),
      query: { labelSelector, fieldSelector, limit, continue: token, resourceVersion, resourceVersionMatch },
    });
    // Items of a list come without apiVersion and kind.
    const typed = { apiVersion: apiVersionOf(resource), kind: resource.kind };
    return { ...list, items: list.items.map((item) => ({ ...typed, ...item })) };
  }

  create<T>(resource: Resource<T>, object: NoInfer<T>, options: WriteOptions = {}): Promise<T> {
    const name = options.subresource === undefined ? undefined : nameOf(object);
    return this.#write('POST', resource, object, name, options);
  }

  /** Puts the whole object; with metadata.resourceVersion only if nobody wrote in between (409 otherwise). */
  replace<T>(resource: Resource<T>, object: NoInfer<T>, options: WriteOptions = {}): Promise<T> {
    return this.#write('PUT', resource, object, nameOf(object), options);
  }

  /** Puts the object's status only. */
  replaceStatus<T>(resource: Resource<T>, object: NoInfer<T>, options: WriteOptions = {}): Promise<T> {
    return this.replace(resource, object, { ...options, subresource: 'status' });
  }

  patch<T>(resource: Resource<T>, patch: object, options: PatchOptions): Promise<T> {
    return this.#requests.json({
      ...this.#call('PATCH', resource, this.#inNamespace(resource, options.namespace), options),
      query: writeQuery(options),
      body: patch,
      contentType: patchTypes[options.type ?? 'merge'],
    });
  }

  patchStatus<T>(resource: Resource<T>, patch: object, options: PatchOptions): Promise<T> {
    return this.patch(resource, patch, { ...options, subresource: 'status' });
  }

  /** The object as deleted (still there while finalizers or a grace period run), or a Status. */
  delete<T>(resource: Resource<T>, options: DeleteOptions): Promise<T | Status> {
    const { gracePeriodSeconds, propagationPolicy, preconditions } = options;
    return this.#requests.json({
      ...this.#call('DELETE', resource, this.#inNamespace(resource, options.namespace), options),
      query: writeQuery({ dryRun: options.dryRun, fieldValidation: undefined }),
      body: {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }),
        ...(propagationPolicy !== undefined && { propagationPolicy }),
        ...(preconditions !== undefined && { preconditions }),
      },
    });
  }

  /** Deletes all that the selectors match in one namespace (or, cluster-wide resources, in the cluster). */
  async deleteCollection<T>(
    resource: Resource<T>,
    options: SelectOptions & CallOptions & { gracePeriodSeconds?: number },
  ): Promise<void> {
    const { labelSelector, fieldSelector, gracePeriodSeconds } = options;
    await this.#requests.json({
      ...this.#call('DELETE', resource, this.#inNamespace(resource, options.namespace), {
        signal: options.signal,
        timeoutMs: options.timeoutMs,
      }),
      query: { labelSelector, fieldSelector, gracePeriodSeconds },
    });
  }

  /**
   * Server-side apply: `object` holds exactly the fields that this manager wants to own. Creates what is not there.
   * Fields owned by others with other values come back as a conflict, not as an exception.
   */
  async apply<T>(resource: Resource<T>, object: NoInfer<T>, options: ApplyOptions): Promise<ApplyOutcome<T>> {
    const body = { apiVersion: apiVersionOf(resource), kind: resource.kind, ...object };
    const namespace = this.#inNamespace(resource, options.namespace ?? metaOf(object).namespace);
    return applyOutcome(() =>
      this.#requests.json<T>({
        ...this.#call('PATCH', resource, namespace, { ...options, name: nameOf(object) }),
        query: { ...writeQuery(options), force: options.force },
        body,
        contentType: patchTypes.apply,
      }),
    );
  }

  /** Server-side apply of the status alone; other fields of `object` but its name are ignored by the server. */
  applyStatus<T>(resource: Resource<T>, object: NoInfer<T>, options: ApplyOptions): Promise<ApplyOutcome<T>> {
    return this.apply(resource, object, { ...options, subresource: 'status' });
  }

  /** How many replicas are wanted and how many there are, of anything with a scale subresource. */
  getScale(resource: Resource<never>, options: ObjectOptions): Promise<Scale> {
    return this.get(resource, { ...options, subresource: 'scale' });
  }

  setScale(resource: Resource<never>, replicas: number, options: ObjectOptions): Promise<Scale> {
    return this.patch(resource, { spec: { replicas } }, { ...options, subresource: 'scale' });
  }

  /** Creates, or reads again and changes, until no other writer came in between (at most `attempts` times). */
  async update<T>(
    resource: Resource<T>,
    at: ObjectOptions & { attempts?: number; subresource?: string },
    change: (object: T) => T | undefined,
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const current = await this.get(resource, { namespace: at.namespace, name: at.name, signal: at.signal });
      const wanted = change(current);
      if (wanted === undefined) return current;
      try {
        return await this.replace(resource, wanted, { subresource: at.subresource, signal: at.signal });
      } catch (error) {
        if (!isConflict(error) || attempt >= (at.attempts ?? 5)) throw error;
      }
    }
  }

  /** What a container printed so far. */
  logs(options: LogOptions): Promise<string> {
    return this.#requests.text({ ...this.#logRequest(options), timeoutMs: options.timeoutMs });
  }

  /** A container's output as it comes; destroy the stream to end it. */
  followLogs(options: LogOptions): Promise<IncomingMessage> {
    const request = this.#logRequest(options);
    return this.#requests.stream({ ...request, query: { ...request.query, follow: true }, headersTimeoutMs: 30_000 });
  }

  /** Anything else: `/version`, `/readyz`, `/apis`, a subresource of its own. */
  request<T>(request: ApiRequest): Promise<T> {
    return this.#requests.json(request);
  }

  /** As request, for answers that are no JSON. */
  requestText(request: ApiRequest): Promise<string> {
    return this.#requests.text({ accept: '*/*', ...request });
  }

  /** The raw watch; ListWatch is what keeps one going. */
  openWatch(resource: Resource<never>, options: WatchRequest): Promise<IncomingMessage> {
    const { labelSelector, fieldSelector, resourceVersion, timeoutSeconds, headersTimeoutMs } = options;
    return this.#requests.stream({
      ...this.#call('GET', resource, options.namespace, { signal: options.signal }),
      query: { watch: true, allowWatchBookmarks: true, resourceVersion, timeoutSeconds, labelSelector, fieldSelector },
      headersTimeoutMs,
    });
  }

  #write<T>(
    method: 'POST' | 'PUT',
    resource: Resource<T>,
    object: T,
    name: string | undefined,
    options: WriteOptions,
  ): Promise<T> {
    const namespace = this.#inNamespace(resource, options.namespace ?? metaOf(object).namespace);
    return this.#requests.json({
      ...this.#call(method, resource, namespace, { ...options, name }),
      query: writeQuery(options),
      body: { apiVersion: apiVersionOf(resource), kind: resource.kind, ...object },
    });
  }

  #inNamespace<T>(resource: Resource<T>, namespace: string | undefined): string | undefined {
    return resource.namespaced ? (namespace ?? this.namespace) : undefined;
  }

  #call<T>(
    method: ApiRequest['method'],
    resource: Resource<T>,
    namespace: string | undefined,
    options: CallOptions & { name?: string | undefined; subresource?: string | undefined },
  ): ApiRequest {
    const { name, subresource, signal, timeoutMs } = options;
    return {
      method,
      path: resourcePath(resource, { namespace, name, subresource }),
      signal,
      timeoutMs,
    };
  }

  #logRequest(options: LogOptions): ApiRequest {
    const { name, container, tailLines, previous, timestamps, sinceSeconds, signal } = options;
    const namespace = options.namespace ?? this.namespace;
    return {
      method: 'GET',
      path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}/log`,
      query: { container, tailLines, previous, timestamps, sinceSeconds },
      accept: '*/*',
      signal,
    };
  }
}

function writeQuery(
  options: Pick<WriteOptions, 'dryRun' | 'fieldManager' | 'fieldValidation'>,
): Record<string, string | undefined> {
  return {
    dryRun: options.dryRun === true ? 'All' : undefined,
    fieldManager: options.fieldManager,
    fieldValidation: 'fieldValidation' in options ? options.fieldValidation : 'Strict',
  };
}

function metaOf(object: unknown): ObjectMeta {
  return (object as KubernetesObject).metadata ?? {};
}

function nameOf(object: unknown): string {
  const { name } = metaOf(object);
  if (name === undefined || name === '') throw new TypeError('metadata.name is missing; it says which object to write');
  return name;
}
