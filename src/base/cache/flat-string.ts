/**
 * Returns the same text as one flat string. V8 stores a template literal as a rope of its parts (`ConsString`) until it
 * is read, and a slice as a view of its whole source (`SlicedString`). Keeping such a string keeps all its sources in
 * memory. Serializing and parsing it makes a flat copy, lone surrogates included.
 */
export function toFlatString(text: string): string {
  return JSON.parse(JSON.stringify(text))
}
