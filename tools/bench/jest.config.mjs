import { preset } from '../../jest.preset.mjs';

export default preset('bench', import.meta.dirname);
