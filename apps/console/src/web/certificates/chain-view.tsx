import type { Certificate } from '@keelson/contracts';
import { useRead } from '../api/use-read.ts';
import { Copy } from '../parts/copy.tsx';
import { Icon } from '../parts/icon.tsx';
import { Section } from '../parts/page.tsx';
import { useSession } from '../session/session.ts';
import { pemBlocks } from './chain.ts';
import { namesOf } from './expiry.ts';

/** What the certificate hangs on, from itself up to the root, each as PEM. */
export function ChainView({ certificate }: { readonly certificate: Certificate }) {
  const { clients } = useSession();
  const authority = useRead('authority', (signal) => clients.certificates.getAuthority({ signal }));
  const [leaf, ...above] = pemBlocks(certificate.chain);
  const links = [
    { role: 'this certificate', name: namesOf(certificate)[0]!, pem: leaf },
    ...above.map((pem) => ({ role: 'its issuer', name: certificate.issuer, pem })),
    { role: 'the root to trust', name: authority.data?.name ?? 'root', pem: authority.data?.root },
  ];
  return (
    <Section
      title="Chain"
      aside={
        <span className="buttons">
          <Copy text={certificate.chain} what="chain, leaf first" />
          <Download text={certificate.chain} name={`${fileName(certificate)}.pem`} />
        </span>
      }
    >
      <ol className="chain">
        {links.map(({ role, name, pem }) => (
          <li key={role + name}>
            <p>
              <strong>{name}</strong> <span className="quiet small">{role}</span>
            </p>
            {pem === undefined ? null : (
              <details>
                <summary className="small">PEM</summary>
                <div className="with-copy">
                  <pre className="block" role="group" tabIndex={0} aria-label={`PEM of ${role}`}>
                    {pem}
                  </pre>
                  <Copy text={`${pem.trim()}\n`} what={`PEM of ${role}`} />
                </div>
              </details>
            )}
          </li>
        ))}
      </ol>
    </Section>
  );
}

const fileName = (certificate: Certificate): string => namesOf(certificate)[0]!.replaceAll(/[^\w.-]/g, '_');

/** Saves a text as a file, without asking the server again. */
function Download({ text, name }: { readonly text: string; readonly name: string }) {
  const save = (): void => {
    const url = URL.createObjectURL(new Blob([text], { type: 'application/x-pem-file' }));
    const link = document.createElement('a');
    link.href = url;
    link.download = name;
    link.click();
    URL.revokeObjectURL(url);
  };
  return (
    <button type="button" className="copy" onClick={save} aria-label={`Save as ${name}`} title={`Save as ${name}`}>
      <Icon name="download" />
    </button>
  );
}
