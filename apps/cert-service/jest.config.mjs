import { preset } from '../../jest.preset.mjs';

export default preset('cert-service', import.meta.dirname);
