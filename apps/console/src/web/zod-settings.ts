import { config } from 'zod';

// Checks are compiled with `new Function` otherwise, which the Content-Security-Policy forbids.
config({ jitless: true });
