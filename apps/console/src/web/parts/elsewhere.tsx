import { CodeLine } from './copy.tsx';
import { Icon } from './icon.tsx';

interface ElsewhereProps {
  /** Method and path at the service: `GET /v1/canaries`. */
  readonly api: readonly string[];
  /** Empty where the command line does not do it yet. */
  readonly cli: readonly string[];
}

/** What this page does, as API call and as command line: nothing is possible in the console alone. */
export function Elsewhere({ api, cli }: ElsewhereProps) {
  return (
    <details className="elsewhere">
      <summary>
        <Icon name="terminal" />
        {cli.length === 0 ? 'The same by API' : 'The same by API and command line'}
      </summary>
      <dl>
        <dt>API</dt>
        {api.map((line) => (
          <dd key={line}>
            <CodeLine code={line} what="API call" />
          </dd>
        ))}
        {cli.length === 0 ? null : <dt>Command line</dt>}
        {cli.map((line) => (
          <dd key={line}>
            <CodeLine code={line} what="command line" />
          </dd>
        ))}
      </dl>
    </details>
  );
}
