import { preset } from '../../jest.preset.mjs';

export default preset('control-plane', import.meta.dirname);
