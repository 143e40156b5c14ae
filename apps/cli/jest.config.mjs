import { preset } from '../../jest.preset.mjs';

export default preset('cli', import.meta.dirname);
