import { preset } from '../../jest.preset.mjs';

export default preset('sandbox', import.meta.dirname);
