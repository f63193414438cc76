import { readFileSync } from 'node:fs'

/** One fenced block: its language and its text. */
export type Fence = { readonly language: string; readonly text: string }

/** A Markdown page as far as tests look at it. */
export type Document = {
  /** From the project's root. */
  readonly path: string
  readonly headings: readonly { readonly level: number; readonly text: string }[]
  readonly fences: readonly Fence[]
  /** Targets of links, in order; none from inside a fence. */
  readonly links: readonly string[]
  /** Code spans, in order; none from inside a fence. */
  readonly spans: readonly string[]
  /** Cells of table rows without the header, trimmed. */
  readonly rows: readonly (readonly string[])[]
}

/** Reads a Markdown page. */
export function readDocument(path: string): Document {
  const text = readFileSync(path, 'utf8')
  const fences: Fence[] = []
  const prose = text.replace(/^```(\w+)\n([\s\S]*?)^```$/gm, (_, language: string, body: string) => {
    fences.push({ language, text: body })
    return ''
  })
  const headings = [...prose.matchAll(/^(#+) (.+)$/gm)].map(([, hashes = '', title = '']) => ({
    level: hashes.length,
    text: title,
  }))
  const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
  const spans = [...prose.matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span)
  return { path, headings, fences, links, spans, rows: readRows(prose) }
}

/** The anchor that GitHub gives to a heading. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{Letter}\p{Number}\s_-]/gu, '')
    .replaceAll(' ', '-')
}

function readRows(prose: string): readonly (readonly string[])[] {
  const lines = prose.split('\n')
  return lines
    .filter((line, index) => line.startsWith('| ') && !isRule(line) && !isRule(lines[index + 1]))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
}

function isRule(line = ''): boolean {
  return /^(\| *-+ *)+\|$/.test(line)
}
