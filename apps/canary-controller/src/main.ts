import { runService } from '@keelson/service-kit';
import { definition } from './service.ts';

await runService(definition);
