import { preset } from '../../jest.preset.mjs';

// Some tests start the command as a process, which takes seconds where eight projects are tested at once.
export default { ...preset('contract-check', import.meta.dirname), testTimeout: 30_000 };
