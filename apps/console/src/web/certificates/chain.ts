/** The certificates of a PEM text, each as a text of its own. */
export const pemBlocks = (pem: string): string[] =>
  pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];

/** The octets of a hexadecimal text: `440e44` as `44`, `0e`, `44`. */
export const octets = (hex: string): string[] => hex.match(/..?/g) ?? [];
