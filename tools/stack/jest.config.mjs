import { preset } from '../../jest.preset.mjs';

export default preset('stack', import.meta.dirname);
