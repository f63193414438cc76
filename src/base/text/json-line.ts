// What JSON leaves as it is though some reader would break a line on it, or a terminal obey it: DEL and the C1
// controls, U+2028, U+2029 and the bidirectional overrides and isolates.
const hazard = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g

/** Makes JSON text safe to stand on one line of a log, whatever its strings hold; it parses to the same value. */
export function toSafeJson(json: string): string {
  // Text of ASCII alone, as nearly all is, has no other hazard than DEL; to know that takes no look at each character.
  if (Buffer.byteLength(json) === json.length && !json.includes('\u007f')) return json
  return json.replace(hazard, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
