import { preset } from '../../jest.preset.mjs';

// Some tests start processes, which takes seconds where eight projects are tested at once.
export default { ...preset('service-kit', import.meta.dirname), testTimeout: 30_000 };
