/** The sandbox's API server, see options.ts. Prints `{"ready":true,"url":"..."}` once it serves; SIGTERM and SIGINT end it. */
import { bootstrap } from './bootstrap.ts';
import { startControllers } from './controllers/controllers.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { type ApiOptions, parseOptions, usage } from './options.ts';
import { Server } from './server.ts';

const log = (text: string): void => console.error(text);

/** Starts it; returns how to end it. */
async function run({ kubeconfigOut, eventTtlMs, ...options }: ApiOptions): Promise<() => Promise<void>> {
  const server = new Server({ ...options, log });
  const stop = startControllers(server.cluster, { eventTtlMs, log });
  bootstrap(server.cluster);
  await server.listen();
  writeKubeconfig(kubeconfigOut, { url: server.url, certificate: server.certificate, token: server.adminToken });
  console.log(JSON.stringify({ ready: true, url: server.url, kubeconfig: kubeconfigOut }));
  return () => {
    stop();
    return server.close();
  };
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options === 'help') process.stdout.write(usage);
  else {
    const stop = await run(options);
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      process.once(signal, () => void stop().then(() => process.exit(0)));
  }
} catch (error) {
  log(`sandbox api: ${(error as Error).message}`);
  process.exit(1);
}
