import { preset } from '../../jest.preset.mjs';

export default preset('contract-check', import.meta.dirname);
