// The process of src/main.ts with a page of the test's own: the built one is not needed to see how a process behaves.
import { runProcess } from '@keelson/service-kit/plain';
import { configSchema } from '../src/server/config.ts';
import { startConsole } from '../src/server/start-console.ts';

await runProcess({
  name: 'console',
  config: configSchema,
  start: (config) => startConsole({ config, version: '0.0.0', page: import.meta.dirname }),
});
