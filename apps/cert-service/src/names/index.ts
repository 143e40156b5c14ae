export { NameError } from './name-error.ts';
export { normaliseDnsName } from './dns-name.ts';
export { inRange, ipOctets, ipText, normaliseIp, parseIpRange, type IpRange } from './ip-address.ts';
export {
  encodeName,
  nameText,
  readName,
  subjectAttributeTypes,
  type DistinguishedName,
  type NameAttribute,
} from './distinguished-name.ts';
