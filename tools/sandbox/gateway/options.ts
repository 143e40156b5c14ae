import { parseArgs } from 'node:util';

export type GatewayOptions = {
  kubeconfig: string;
  listen: string;
  httpPort: number;
  httpsPort: number;
  metricsPort: number;
  className: string;
  namespace: string | undefined;
  defaultCertificate: string | undefined;
  podNetwork: 'loopback' | 'direct';
  publish: boolean;
  podName: string;
  podNamespace: string;
};

export const usage = `usage: node --conditions=keelson-source tools/sandbox/gateway/main.ts --kubeconfig FILE [OPTIONS]

An HTTP and HTTPS gateway that routes by the Ingresses of a Kubernetes API. See tools/sandbox/README.md.

  --kubeconfig FILE               the cluster (required)
  --listen ADDRESS                where to listen (127.0.0.1)
  --http-port, --https-port, --metrics-port N
                                  0: any free port, printed in the ready line (0)
  --ingress-class NAME            the class to serve (nginx)
  --namespace NS                  serve the Ingresses of this namespace only (all)
  --default-ssl-certificate NS/NAME
                                  Secret for hosts without one of their own (a self-signed one)
  --pod-network loopback|direct   loopback: pods of the sandbox's node, 10.x.y.z in the API, 127.x.y.z on this machine;
                                  direct: the addresses as they are (loopback)
  --no-update-status              leave the Ingresses' status.loadBalancer alone
  --pod-name, --pod-namespace     the controller_pod and controller_namespace labels of the metrics
  --help                          this text
`;

/** Reads the command line. Throws an Error that names the option, its value and what is allowed. */
export function parseOptions(argv: string[]): GatewayOptions | 'help' {
  const { values } = parseArgs({
    args: argv,
    strict: true,
    options: {
      kubeconfig: { type: 'string' },
      listen: { type: 'string', default: '127.0.0.1' },
      'http-port': { type: 'string', default: '0' },
      'https-port': { type: 'string', default: '0' },
      'metrics-port': { type: 'string', default: '0' },
      'ingress-class': { type: 'string', default: 'nginx' },
      namespace: { type: 'string' },
      'default-ssl-certificate': { type: 'string' },
      'pod-network': { type: 'string', default: 'loopback' },
      'no-update-status': { type: 'boolean', default: false },
      'pod-name': { type: 'string', default: 'sandbox-gateway' },
      'pod-namespace': { type: 'string', default: 'ingress-nginx' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  if (values.kubeconfig === undefined)
    throw new Error('--kubeconfig is missing; it names the file of the cluster to serve');
  const certificate = values['default-ssl-certificate'];
  if (certificate !== undefined && !/^[^/]+\/[^/]+$/.test(certificate)) {
    throw new Error(`--default-ssl-certificate is "${certificate}"; allowed is NAMESPACE/NAME of a Secret`);
  }
  const network = values['pod-network'];
  if (network !== 'loopback' && network !== 'direct') {
    throw new Error(`--pod-network is "${network}"; allowed are loopback and direct`);
  }
  return {
    kubeconfig: values.kubeconfig,
    listen: values.listen,
    httpPort: port('--http-port', values['http-port']),
    httpsPort: port('--https-port', values['https-port']),
    metricsPort: port('--metrics-port', values['metrics-port']),
    className: values['ingress-class'],
    namespace: values.namespace,
    defaultCertificate: certificate,
    podNetwork: network,
    publish: !values['no-update-status'],
    podName: values['pod-name'],
    podNamespace: values['pod-namespace'],
  };
}

function port(option: string, text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > 65_535)
    throw new Error(`${option} is "${text}"; allowed is 0 to 65535, 0 for any free port`);
  return value;
}
