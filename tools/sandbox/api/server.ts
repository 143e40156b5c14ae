import { type IncomingMessage, type ServerResponse } from 'node:http';
import { type Server as HttpsServer, createServer } from 'node:https';
import type { AddressInfo } from 'node:net';

import { authorize, refusal } from './auth/rbac.ts';
import { Tokens, type User } from './auth/tokens.ts';
import { Cluster } from './core/cluster.ts';
import { aggregated, groupList, oneGroup, resourceList } from './discovery/discovery.ts';
import { openApiDocument, openApiIndex } from './discovery/openapi.ts';
import { serveResource } from './http/resources.ts';
import { send, sendError, sendJson } from './http/respond.ts';
import { ApiError, notServed, unauthorized } from './http/status.ts';
import type { Json } from './json.ts';
import { selfSigned } from '../self-signed/self-signed.ts';

export interface ServerOptions {
  host: string;
  port: number;
  /** How often watches get a bookmark. */
  bookmarkMs: number;
  /** How many changes each resource keeps. */
  window: number;
  log: (text: string) => void;
  now?: () => Date;
}

const version = {
  major: '1',
  minor: '34',
  gitVersion: 'v1.34.4+keelson-sandbox',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: 'node',
  platform: 'linux/amd64',
};

const discoveryType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** As clients ask for it (an answer names it with a dot, as MIME wants). An empty document of this type is no bytes. */
const openApi2Type = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';

/** The API server: HTTPS, bearer tokens, and everything behind them in memory. */
export class Server {
  readonly cluster: Cluster;
  readonly tokens: Tokens;
  readonly bookmarkMs: number;
  /** Ends one open watch each. */
  readonly watches = new Set<() => void>();
  /** PEM; clients trust it as their only CA. */
  readonly certificate: string;
  readonly adminToken: string;
  readonly #options: ServerOptions;
  readonly #https: HttpsServer;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.cluster = new Cluster(options);
    this.tokens = new Tokens(this.cluster.now);
    this.bookmarkMs = options.bookmarkMs;
    this.adminToken = this.tokens.issueStatic({
      name: 'sandbox-admin',
      groups: ['system:masters', 'system:authenticated'],
    });
    const names = [...new Set(['localhost', '127.0.0.1', options.host])];
    const made = selfSigned({
      commonName: 'keelson-sandbox',
      names,
      days: 365,
      now: new Date(this.cluster.now().getTime() - 3_600_000),
    });
    this.certificate = made.certificate;
    this.#https = createServer(
      { cert: made.certificate, key: made.key, keepAliveTimeout: 60_000 },
      (req, res) => void this.#handle(req, res),
    );
  }

  get url(): string {
    const { port } = this.#https.address() as AddressInfo;
    return `https://${this.#options.host}:${port}`;
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#https.once('error', reject);
      this.#https.listen(this.#options.port, this.#options.host, () => resolve());
    });
  }

  /** Ends all watches and connections. */
  close(): Promise<void> {
    for (const end of this.watches) end();
    return new Promise((resolve) => {
      this.#https.close(() => resolve());
      this.#https.closeAllConnections();
    });
  }

  /** Who a token is; undefined for nobody. */
  userOf(token: string): User | undefined {
    return this.tokens.verify(
      token,
      (namespace, name) => this.cluster.find('/serviceaccounts', namespace, name)?.metadata.uid,
    );
  }

  #authenticate(req: IncomingMessage): User {
    const header = req.headers.authorization;
    if (!header) return { name: 'system:anonymous', groups: ['system:unauthenticated'] };
    const user = this.userOf(header.replace(/^Bearer\s+/i, ''));
    if (!user) throw unauthorized();
    return this.#impersonated(req, user);
  }

  /** `kubectl --as`: acts as somebody else, where RBAC lets the caller impersonate them. */
  #impersonated(req: IncomingMessage, user: User): User {
    const name = req.headers['impersonate-user'];
    if (typeof name !== 'string') return user;
    const attempt = { verb: 'impersonate', resource: 'users', name };
    if (!authorize(this.cluster, user, attempt).allowed) {
      throw new ApiError(403, 'Forbidden', `users ${JSON.stringify(name)} is forbidden: ${refusal(user, attempt)}`);
    }
    const asked = req.headers['impersonate-group'];
    const groups = (Array.isArray(asked) ? asked : (asked ?? '').split(',')).map((g) => g.trim()).filter(Boolean);
    const account = /^system:serviceaccount:([^:]+):/.exec(name)?.[1];
    const implied = account ? ['system:serviceaccounts', `system:serviceaccounts:${account}`] : [];
    return { name, groups: [...groups, ...implied, 'system:authenticated'] };
  }

  async #handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    try {
      const url = new URL(req.url ?? '/', 'https://sandbox');
      const path = url.pathname.replace(/\/+$/, '') || '/';
      if (['/healthz', '/readyz', '/livez'].includes(path)) {
        send(res, 200, 'ok', 'text/plain');
        return;
      }
      const user = this.#authenticate(req);
      if (await this.#serveOther(req, res, user, path)) return;
      await serveResource(this, req, res, user, url);
    } catch (error) {
      sendError(res, error, this.#options.log);
    }
  }

  /** Paths that are no resources: discovery, OpenAPI, version, and the sandbox's own. */
  async #serveOther(req: IncomingMessage, res: ServerResponse, user: User, path: string): Promise<boolean> {
    const parts = path.split('/').filter(Boolean);
    const isResource = (parts[0] === 'api' && parts.length > 2) || (parts[0] === 'apis' && parts.length > 3);
    if (isResource) return false;
    const attempt = { verb: (req.method ?? 'get').toLowerCase(), path };
    if (!authorize(this.cluster, user, attempt).allowed) {
      throw new ApiError(403, 'Forbidden', `forbidden: ${refusal(user, attempt)}`, {});
    }
    const { registry } = this.cluster;
    const answer = (found: Json, type?: string): void => {
      if (found === undefined) send(res, 404, '404 page not found\n', 'text/plain; charset=utf-8');
      else sendJson(res, 200, found, type);
    };
    const wantsAggregated =
      req.headers.accept?.includes('as=APIGroupDiscoveryList') && req.headers.accept.includes('v=v2');
    if (path === '/version') answer(version);
    else if ((path === '/api' || path === '/apis') && wantsAggregated)
      answer(aggregated(registry, path === '/api'), discoveryType);
    else if (path === '/api')
      answer({
        kind: 'APIVersions',
        apiVersion: 'v1',
        versions: ['v1'],
        serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: new URL(this.url).host }],
      });
    else if (path === '/apis') answer(groupList(registry));
    else if (parts[0] === 'api' && parts.length === 2) answer(resourceList(registry, '', parts[1] as string));
    else if (parts[0] === 'apis' && parts.length === 2) answer(oneGroup(registry, parts[1] as string));
    else if (parts[0] === 'apis') answer(resourceList(registry, parts[1] as string, parts[2] as string));
    else if (path === '/openapi/v3') answer(openApiIndex(registry));
    else if (path === '/openapi/v3/api/v1') answer(openApiDocument(registry, '', 'v1'));
    else if (path.startsWith('/openapi/v3/apis/'))
      answer(openApiDocument(registry, parts[3] as string, parts[4] as string));
    // kubectl asks here about what v3 does not know, and goes on to name it where there is nothing. JSON is not served.
    else if (path === '/openapi/v2' && req.headers.accept?.includes(openApi2Type))
      send(res, 200, '', openApi2Type.replace('@', '.'));
    else if (path === '/openapi/v2') throw notServed('OpenAPI v2 (v3 is at /openapi/v3)');
    else if (path === '/sandbox/compact' && req.method === 'POST') answer({ revision: this.cluster.store.compact() });
    else if (path === '/')
      answer({ paths: ['/api', '/apis', '/healthz', '/livez', '/openapi/v3', '/readyz', '/version'] });
    else answer(undefined);
    return true;
  }
}
