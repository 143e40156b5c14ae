/** Answer of the management API: parsed JSON, or undefined where the body is empty. */
// oxlint-disable-next-line typescript/no-explicit-any -- its documents are many, and a test looks at one field of one
export type ManagementAnswer = any;

export type Management = (path: string, init?: { method?: string; body?: unknown }) => Promise<ManagementAnswer>;

/** Calls RabbitMQ's management API below `url`, whose user and password are in it. Throws on a status of 400 and more. */
export function managementOf(url: string): Management {
  const base = new URL(url);
  const authorization = `Basic ${Buffer.from(`${decodeURIComponent(base.username)}:${decodeURIComponent(base.password)}`).toString('base64')}`;
  return async (path, { method = 'GET', body } = {}) => {
    const response = await fetch(`${base.origin}${path}`, {
      method,
      headers: { authorization, 'content-type': 'application/json' },
      signal: AbortSignal.timeout(30_000),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`RabbitMQ management: ${method} ${path} answered ${response.status}: ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };
}

/** Makes a virtual host in which `username` may do everything. */
export async function makeVhost(management: Management, vhost: string, username: string): Promise<void> {
  const name = encodeURIComponent(vhost);
  await management(`/api/vhosts/${name}`, { method: 'PUT', body: {} });
  await management(`/api/permissions/${name}/${encodeURIComponent(username)}`, {
    method: 'PUT',
    body: { configure: '.*', write: '.*', read: '.*' },
  });
}
