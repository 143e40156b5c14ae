import { preset } from '../../jest.preset.mjs';

export default preset('testing', import.meta.dirname);
