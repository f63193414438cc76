/**
 * Returns the segments of a path as read by a server that folds letters or trims segments. It replaces compatibility
 * characters (NFKC), drops invisible ones, folds case unless the service is case-sensitive, and trims blanks and final
 * dots of segments. Characters that become `/`, `\` or `;` then separate segments. `undefined` if such a server could
 * still read the path differently: an empty segment, or an escape.
 */
export function foldSegments(
  segments: readonly string[],
  isCaseSensitive: boolean,
): readonly string[] | undefined {
  const text = foldText(segments.join('/'), isCaseSensitive)
  if (/%[0-9a-f]{2}/i.test(text)) return undefined
  const folded = text.split(/[/\\]/).map(toPlainSegment)
  const endsInSlash = segments.at(-1) === ''
  const isWhole = folded.every((segment, at) => segment !== '' || (endsInSlash && at === folded.length - 1))
  return isWhole ? folded : undefined
}

/** A cheap test. It is true only for paths that folding does not change, and for nearly all of them. */
export function isFolded(path: string): boolean {
  return /^(?:[a-z0-9\-_~!$&'()*+,=:@[\]/]|\.(?!\/|$))*$/.test(path)
}

/**
 * Upper case alone distinguishes `ẞ` from `ß`, lower case alone `ı` from `i`. `İ` in lower case is `i` with a combining
 * dot, which servers that map single characters drop.
 */
function foldText(text: string, isCaseSensitive: boolean): string {
  const plain = text.normalize('NFKC').replace(/\p{Default_Ignorable_Code_Point}/gu, '')
  if (isCaseSensitive) return plain.normalize('NFKC')
  const folded = plain.toLowerCase().toUpperCase().toLowerCase()
  return folded.normalize('NFKC').replaceAll('i\u0307', 'i')
}

/** Removes matrix parameters, surrounding blanks and final dots. It is a loop, because `[.\s]+$` takes quadratic time. */
function toPlainSegment(text: string): string {
  const semicolon = text.indexOf(';')
  const segment = (semicolon === -1 ? text : text.slice(0, semicolon)).trimStart()
  let end = segment.length
  while (end > 0 && /[.\s]/.test(segment.charAt(end - 1))) end--
  return segment.slice(0, end)
}
