/** One step of docs/install.md: its commands, and what the reader is told to see. */
export type GuideStep = {
  readonly title: string
  /** The commands of each `sh` block, in the order of the page. A command may have several lines. */
  readonly blocks: readonly (readonly string[])[]
  /** The text after each `See:`, to the end of its paragraph. */
  readonly sees: readonly string[]
}

/** Reads the steps of a guide. Text before the first heading of level 2 belongs to no step. */
export function parseGuide(markdown: string): readonly GuideStep[] {
  return markdown
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const blocks = [...section.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, text = '']) =>
        toCommands(text),
      )
      const prose = section.replace(/^```\w*\n[\s\S]*?^```$/gm, '')
      const sees = prose.split(/\n\s*\n/).flatMap((paragraph) => {
        const [, seen] = /(?:^|\s)See: ([\s\S]*)/.exec(paragraph) ?? []
        return seen === undefined ? [] : [seen.replaceAll('\n', ' ').trim()]
      })
      return { title: section.split('\n', 1)[0] ?? '', blocks, sees }
    })
}

/** A line that ends with a backslash goes on in the next one. */
function toCommands(block: string): readonly string[] {
  return block
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '')
}
