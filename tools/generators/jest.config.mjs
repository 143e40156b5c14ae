import { preset } from '../../jest.preset.mjs';

export default preset('generators', import.meta.dirname);
