import { preset } from '../../jest.preset.mjs';

export default preset('event-relay', import.meta.dirname);
