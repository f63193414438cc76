/** A sentence of a text, with the line of its text's beginning. */
export type Sentence = { readonly line: number; readonly text: string }

/** Returns the sentences of all comments that stand on lines of their own. An item of a list is a sentence of its own. */
export function sentencesOfComments(source: string): readonly Sentence[] {
  const sentences: Sentence[] = []
  let comment: string[] = []
  let line = 1
  for (const [index, text] of [...source.split('\n'), ''].entries()) {
    const found = /^\s*(?:\/\/|\/\*\*?|\*(?!\/))\s?(.*?)(?:\s*\*\/)?$/.exec(text)?.[1]
    if (found !== undefined) {
      if (comment.length === 0) line = index + 1
      comment.push(found)
    } else if (comment.length > 0) {
      sentences.push(...sentencesOf(comment).map((each) => ({ line, text: each })))
      comment = []
    }
  }
  return sentences
}

/** Returns the sentences of the paragraphs, list items and table cells of a Markdown page, without headings and code. */
export function sentencesOfPage(text: string): readonly Sentence[] {
  const sentences: Sentence[] = []
  let paragraph: string[] = []
  let line = 1
  let isCode = false
  for (const [index, each] of [...text.split('\n'), ''].entries()) {
    const isFence = /^\s*(?:```|~~~)/.test(each)
    if (isFence || isCode || each.trim() === '' || /^(?:#|\||<|!\[|\s{4,}\S)/.test(each)) {
      sentences.push(...sentencesOf(paragraph).map((found) => ({ line, text: found })))
      paragraph = []
    } else {
      if (paragraph.length === 0) line = index + 1
      paragraph.push(each)
    }
    if (isFence) isCode = !isCode
  }
  return sentences
}

/** A colon ends a sentence too, because two facts stand around it. Code and links count as one word. */
function sentencesOf(lines: readonly string[]): readonly string[] {
  return lines
    .map((line) => line.replace(/^\s*(?:[-*]|\d+\.)\s+/, '\n'))
    .join(' ')
    .replaceAll(/`[^`]*`/g, '`…`')
    .replaceAll(/\]\([^)]*\)/g, ']')
    .split(/\n|(?<=[.!?:;]["'”’)*]*)\s+/)
    .map((text) => text.trim())
    .filter((text) => text !== '')
}
