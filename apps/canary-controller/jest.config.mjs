import { preset } from '../../jest.preset.mjs';

export default preset('canary-controller', import.meta.dirname);
