// Characters that JSON leaves unescaped but that can break a line or control a terminal: DEL and the C1 controls, U+2028,
// U+2029, and the bidirectional overrides and isolates.
const hazard = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g

/** Escapes JSON text so that it is safe on one line of a log. It parses to the same value. */
export function toSafeJson(json: string): string {
  // Nearly all text is ASCII, whose only hazard is DEL. This test avoids a scan of each character.
  if (Buffer.byteLength(json) === json.length && !json.includes('\u007f')) return json
  return json.replace(hazard, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
