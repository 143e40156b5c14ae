import { preset } from '../../jest.preset.mjs';

export default preset('order-demo', import.meta.dirname);
