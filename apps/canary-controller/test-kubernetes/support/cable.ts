import { readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { privateFolder, removePrivateFolder } from '@keelson/testing';

interface Kubeconfig {
  clusters: { cluster: { server: string } }[];
}

/** The line between a program and the API server, which a test can cut and mend. */
export class Cable {
  /** A kubeconfig that goes through it. */
  readonly kubeconfig: string;
  readonly #folder: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #cut = false;

  private constructor(folder: string, kubeconfig: string, server: Server) {
    this.#folder = folder;
    this.kubeconfig = kubeconfig;
    this.#server = server;
  }

  static async lay(kubeconfig: string): Promise<Cable> {
    const config = parse(readFileSync(kubeconfig, 'utf8')) as Kubeconfig;
    const { cluster } = config.clusters[0]!;
    const target = new URL(cluster.server);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    target.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { hostname, port } = new URL(cluster.server);
    cluster.server = target.href;
    const folder = privateFolder('cable');
    const file = join(folder, 'kubeconfig');
    writeFileSync(file, stringify(config), { mode: 0o600 });
    const cable = new Cable(folder, file, server);
    server.on('connection', (socket) => cable.#join(socket, connect(Number(port), hostname)));
    return cable;
  }

  cut(): void {
    this.#cut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#cut = false;
  }

  async remove(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
    removePrivateFolder(this.#folder);
  }

  #join(near: Socket, far: Socket): void {
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
    if (this.#cut) near.destroy();
    else near.pipe(far).pipe(near);
  }
}
