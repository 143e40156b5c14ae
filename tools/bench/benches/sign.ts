import { certificatesApi } from '@keelson/contracts';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { against, type Figure } from '../figures.ts';
import { oneInsert } from '../one-insert.ts';
import { Place } from '../place.ts';

/** CSR (P-256, made by openssl) to signed certificate, durable in the database, over HTTP at concurrency 1 and 8. */
export async function sign(root: string): Promise<Figure[]> {
  const place = await new Place(root).start();
  try {
    const { perSecond: reference } = await oneInsert(place.postgres.adminUrl, 8, 5);
    const service = await place.service('cert-service', { KEY_ENCRYPTION_KEY: randomBytes(32).toString('base64') });
    const csr = signingRequest(place.folder);
    await issue(service.url!, place.token, csr, 8, 2); // warm-up
    const figures: Figure[] = [];
    for (const concurrency of [1, 8]) {
      const rate = await issue(service.url!, place.token, csr, concurrency, 6);
      figures.push(
        against(`sign-http-c${concurrency}`, rate, 'certs/s', reference, 'one-insert transactions/s, 8 connections'),
      );
    }
    return figures;
  } finally {
    await place.stop();
  }
}

function signingRequest(folder: string): string {
  const [key, csr] = [join(folder, 'key.pem'), join(folder, 'csr.pem')];
  execFileSync('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', key]);
  execFileSync('openssl', [
    'req',
    '-new',
    '-key',
    key,
    '-subj',
    '/CN=bench.example.com',
    '-addext',
    'subjectAltName=DNS:bench.example.com',
    '-out',
    csr,
  ]);
  return execFileSync('cat', [csr], { encoding: 'utf8' });
}

async function issue(url: string, token: string, csr: string, concurrency: number, seconds: number): Promise<number> {
  const agent = new Agent({ connections: concurrency });
  const body = JSON.stringify({ csr });
  const end = performance.now() + seconds * 1000;
  let count = 0;
  const worker = async (): Promise<void> => {
    while (performance.now() < end) {
      const answer = await request(new URL(certificatesApi.endpoints.issueCertificate.path, url), {
        method: 'POST',
        dispatcher: agent,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body,
      });
      const text = await answer.body.text();
      if (answer.statusCode !== 201) throw new Error(`${answer.statusCode}: ${text}`);
      count += 1;
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: concurrency }, worker));
  const rate = count / ((performance.now() - started) / 1000);
  await agent.close();
  return rate;
}
