/**
 * The segments of a path as a server reads them that folds letters or trims segments: compatibility characters are replaced (NFKC),
 * invisible ones dropped, case is folded unless the service tells cases apart, blanks around a segment and dots at its end are gone.
 * What looks like `/`, `\` or `;` then divides like it. `undefined` if such a server could read the path in yet another way: a
 * segment becomes empty, or an escape appears.
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

/** A cheap test: true only for paths that folding leaves unchanged, and for nearly all of them. */
export function isFolded(path: string): boolean {
  return /^(?:[a-z0-9\-_~!$&'()*+,=:@[\]/]|\.(?!\/|$))*$/.test(path)
}

/**
 * Upper case alone leaves `ẞ` and `ß` apart, lower case alone `ı` and `i`. `İ` in lower case is `i` with a dot above, which servers
 * that map character by character drop.
 */
function foldText(text: string, isCaseSensitive: boolean): string {
  const plain = text.normalize('NFKC').replace(/\p{Default_Ignorable_Code_Point}/gu, '')
  if (isCaseSensitive) return plain.normalize('NFKC')
  const folded = plain.toLowerCase().toUpperCase().toLowerCase()
  return folded.normalize('NFKC').replaceAll('i\u0307', 'i')
}

/** Without matrix parameters, blanks around it and dots at its end. A loop, because `[.\s]+$` takes quadratic time. */
function toPlainSegment(text: string): string {
  const semicolon = text.indexOf(';')
  const segment = (semicolon === -1 ? text : text.slice(0, semicolon)).trimStart()
  let end = segment.length
  while (end > 0 && /[.\s]/.test(segment.charAt(end - 1))) end--
  return segment.slice(0, end)
}
