import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { context, trace } from '@opentelemetry/api';
import { eventually, type ManagedProcess } from '@keelson/testing';
import { traceHeaders } from '../src/index.ts';
import { exampleService, type ExampleService } from './example-service.ts';
import { exampleProcess, logLines } from './example-process-runner.ts';

describe('metrics', () => {
  let service: ExampleService;
  beforeAll(async () => {
    service = await exampleService();
  });
  afterAll(() => service.stop());

  const metrics = async (): Promise<string> => (await service.call('GET', '/metrics', { token: null })).text;

  test('requests are measured by route template, never by path', async () => {
    await service.call('GET', '/v1/books/019a0000-0000-7000-8000-000000000001');
    await service.call('GET', '/v1/nowhere/7');
    const text = await metrics();
    expect(text).toContain(
      'http_server_request_duration_seconds_count{method="GET",route="/v1/books/{id}",status="404"} 1',
    );
    expect(text).toContain('http_server_request_duration_seconds_count{method="GET",route="none",status="404"} 1');
    expect(text).not.toContain('019a0000');
    expect(text).not.toContain('nowhere');
  });

  test('Prometheus reads them and its linter finds nothing to say', async () => {
    const text = await metrics();
    expect(text).toContain('process_resident_memory_bytes');
    expect(execFileSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8', stdio: 'pipe' })).toBe('');
  });

  test('what is in flight comes back to nothing', async () => {
    await eventually(async () => (await metrics()).includes('http_server_active_requests 1'));
  });
});

describe('traces', () => {
  test("an operation runs inside the caller's trace and passes it on", async () => {
    const service = await exampleService();
    try {
      const traceId = '0af7651916cd43dd8448eb211c80319c';
      const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-01` };
      const answer = await service.call('POST', '/v1/books', { headers, json: { title: '' } });
      expect([answer.headers.get('x-request-id'), answer.json['traceId']]).toEqual([traceId, traceId]);
    } finally {
      await service.stop();
    }
  });

  test('the headers for the next service name the active span', async () => {
    const service = await exampleService();
    try {
      const span = trace.getTracer('test').startSpan('work');
      const headers = context.with(trace.setSpan(context.active(), span), traceHeaders);
      const { traceId, spanId } = span.spanContext();
      expect(headers['traceparent']).toBe(`00-${traceId}-${spanId}-01`);
    } finally {
      await service.stop();
    }
  });

  test('spans are exported over OTLP where an endpoint is set, the last ones at the shutdown', async () => {
    const received: { path: string; body: string }[] = [];
    const collector = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        received.push({ path: request.url!, body });
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      });
    });
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
    const { port } = collector.address() as AddressInfo;
    const example = await exampleProcess({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` });
    try {
      await fetch(`${example.url}/v1/work?ms=0`);
      await example.stop();
      expect(received[0]?.path).toBe('/v1/traces');
      const spans = JSON.stringify(JSON.parse(received.map(({ body }) => body).join('')));
      expect(spans).toContain('GET /v1/work');
      expect(spans).toContain('"service.name"');
    } finally {
      collector.close();
    }
  });
});

describe('logs of a process', () => {
  let example: ManagedProcess;
  beforeAll(async () => {
    example = await exampleProcess();
  });
  afterAll(() => example.stop());

  test('are JSON lines with time, level, component and the trace id of the request', async () => {
    const response = await fetch(`${example.url}/v1/work?ms=1`);
    const line = logLines(example).find(({ msg }) => msg === 'at work');
    expect(line).toMatchObject({
      level: 'info',
      component: 'example',
      ms: 1,
      traceId: response.headers.get('x-request-id'),
    });
    expect(new Date(line!['time'] as string).getTime()).not.toBeNaN();
  });

  test('hold no secret, wherever it stands', () => {
    const text = example.lastLines().join('\n');
    expect(text).toContain('"authorization":"[redacted]"');
    expect(text).not.toMatch(/hunter2|Bearer abc/);
    expect(text).toContain('postgres://user:[redacted]@db/x is away');
    expect(text).toContain('amqp://guest:[redacted]@broker/v');
  });
});
