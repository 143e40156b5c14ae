import { preset } from '../../jest.preset.mjs';

export default preset('run', import.meta.dirname);
