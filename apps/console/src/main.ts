import { fileURLToPath } from 'node:url';
import { runProcess } from '@keelson/service-kit/plain';
import { configSchema } from './server/config.ts';
import { startConsole } from './server/start-console.ts';

await runProcess({
  name: 'console',
  config: configSchema,
  start: (config) => startConsole({ config, version: '0.1.0', page: fileURLToPath(new URL('./web', import.meta.url)) }),
});
