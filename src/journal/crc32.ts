let table: Uint32Array | undefined;

/** CRC-32 (IEEE 802.3) of the UTF-8 bytes of a text. To load node:zlib takes longer than a journal of ten checks. */
export function crc32(text: string): number {
  table ??= makeTable();
  const bytes = Buffer.from(text);
  let crc = -1;
  // By index: an iterator costs several times more, and this runs for every record.
  for (let index = 0; index < bytes.length; index += 1) {
    crc = (table[(crc ^ (bytes[index] as number)) & 0xff] as number) ^ (crc >>> 8);
  }
  return (crc ^ -1) >>> 0;
}

function makeTable(): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    return value >>> 0;
  });
}
