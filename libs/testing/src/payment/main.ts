// The payment provider as a process of its own: `node main.ts [--port N] [--file PATH]`; says `{"ready":true,"url":...}`.
import { parseArgs } from 'node:util';
import { PaymentProvider } from './provider.ts';

const { values } = parseArgs({ options: { port: { type: 'string' }, file: { type: 'string' } } });
const provider = await PaymentProvider.start({
  ...(values.port === undefined ? {} : { port: Number(values.port) }),
  ...(values.file === undefined ? {} : { file: values.file }),
  ...(process.env['PAYMENT_TOKEN'] === undefined ? {} : { token: process.env['PAYMENT_TOKEN'] }),
});
process.stdout.write(`${JSON.stringify({ ready: true, url: provider.url })}\n`);
process.on('SIGTERM', () => void provider.stop());
