/**
 * The same text, in one piece of its own. What a template literal makes, V8 keeps as a rope of its parts (`ConsString`)
 * until somebody reads it, and what `slice` makes as a view of a text that may be long (`SlicedString`): to keep such a
 * text is to keep all that it was made of. Written and read again it is whole, lone surrogates included.
 */
export function toFlatString(text: string): string {
  return JSON.parse(JSON.stringify(text))
}
