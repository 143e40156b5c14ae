import { certificatesApi, createClient } from '@keelson/contracts';
import { eventually } from '@keelson/testing';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Agent, fetch as undiciFetch } from 'undici';
import { HOST, NAMESPACE, TLS_SECRET } from './order-demo.manifests.ts';

/** Of the certificate's root: its PEM, and the file that has it. */
export interface Authority {
  readonly ca: string;
  readonly caFile: string;
}

/** Has cert-service keep the gateway's certificate in its Secret; resolves when it is there. */
export async function deliverCertificate(url: string, token: string, runFolder: string): Promise<Authority> {
  const client = createClient(certificatesApi, { baseUrl: url, token });
  const { root: ca } = await client.getAuthority();
  const caFile = join(runFolder, 'root.pem');
  writeFileSync(caFile, ca);
  const delivery = await client.createDelivery({
    body: {
      dnsNames: [HOST],
      ipAddresses: ['127.0.0.1'],
      secret: { namespace: NAMESPACE, name: TLS_SECRET },
      lifetimeSeconds: 86_400,
    },
  });
  await eventually(
    async () => {
      const now = await client.getDelivery({ params: { id: delivery.id } });
      if (now.state === 'conflict' || now.state === 'failed')
        throw new Error(`the delivery is ${now.state}: ${now.reason}`);
      return now.state === 'delivered';
    },
    { withinMs: 60_000, describe: 'the certificate in its Secret' },
  );
  return { ca, caFile };
}

/** fetch that trusts the platform's root and nothing else. */
export function trustingFetch(ca: string): typeof fetch {
  const dispatcher = new Agent({ connect: { ca } });
  return ((input: string, init: object) => undiciFetch(input, { ...init, dispatcher })) as unknown as typeof fetch;
}
