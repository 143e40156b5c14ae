import { preset } from '../../jest.preset.mjs';

export default preset('service-kit', import.meta.dirname);
