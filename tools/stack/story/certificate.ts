import { execFile, execFileSync } from 'node:child_process';
import { connect } from 'node:tls';
import { promisify } from 'node:util';
import type { Platform } from '../platform.ts';

const run = promisify(execFile);

/** Shows that the gateway's certificate leads to the root: with the openssl command where there is one, else with TLS itself. */
export async function showCertificate(platform: Platform): Promise<void> {
  const { progress, urls, caFile } = platform;
  const { port } = new URL(urls.gateway);
  if (!hasOpenssl()) {
    const { issuer, until } = await handshake(Number(port), platform.ca);
    progress.good(
      `certificate of localhost, issued by ${issuer}, valid until ${until}; its chain was verified by the TLS handshake`,
    );
    return;
  }
  const args = [
    's_client',
    '-connect',
    `127.0.0.1:${port}`,
    '-servername',
    'localhost',
    '-CAfile',
    caFile,
    '-verify_return_error',
    '-verify_hostname',
    'localhost',
  ];
  progress.say(`$ openssl ${args.join(' ')}`);
  const asked = run('openssl', args, { timeout: 10_000 });
  asked.child.stdin?.end(); // s_client talks until its input ends
  const { stdout } = await asked;
  const lines = stdout.split('\n').filter((text) => /^( \d s:|   i:|Verify return code|Verification|New, )/.test(text));
  for (const text of new Set(lines)) progress.say(`    ${text.trim()}`);
  if (!/Verify return code: 0 \(ok\)/.test(stdout)) throw new Error('openssl did not verify the gateway’s certificate');
}

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function handshake(port: number, ca: string): Promise<{ issuer: string; until: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ca }, () => {
      const certificate = socket.getPeerCertificate();
      socket.end();
      resolve({ issuer: String(certificate.issuer.CN), until: certificate.valid_to });
    });
    socket.once('error', reject);
  });
}
