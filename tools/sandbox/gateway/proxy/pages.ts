import { STATUS_CODES, type ServerResponse } from 'node:http';

/** An error page as nginx writes it. A body that is still on its way is not waited for: the connection closes. */
export function sendError(response: ServerResponse, status: number, closing = false): void {
  const text = `${status} ${STATUS_CODES[status] ?? ''}`.trim();
  const page = `<html>\r\n<head><title>${text}</title></head>\r\n<body>\r\n<center><h1>${text}</h1></center>\r\n<hr><center>keelson sandbox gateway</center>\r\n</body>\r\n</html>\r\n`;
  response.writeHead(status, {
    'content-type': 'text/html',
    'content-length': Buffer.byteLength(page),
    ...(closing && { connection: 'close' }),
  });
  response.end(page);
}

/** What ingress-nginx answers when no rule takes a request. */
export function sendDefaultBackend(response: ServerResponse): void {
  const text = 'default backend - 404';
  response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8', 'content-length': text.length });
  response.end(text);
}

export function sendRedirect(response: ServerResponse, location: string): void {
  response.writeHead(308, { location, 'content-type': 'text/html', 'content-length': 0 });
  response.end();
}
