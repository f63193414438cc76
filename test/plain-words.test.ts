import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { pages } from './support/pages.ts'
import { type Sentence, sentencesOfComments, sentencesOfPage } from './support/sentences.ts'

const maxWords = { comment: 32, page: 40 }

/** Returns the problem of a sentence; `undefined` if it is plain. */
function problemOf(text: string, limit: number): string | undefined {
  if (/\bwhoever\b/i.test(text)) return 'name the subject in place of `whoever`'
  if (
    /^(?:What|Who|Whom|Whose)\b(?!.*\?$)/.test(text) ||
    /^(?:That which|(?:One|Those|Somebody) who)\b/.test(text)
  )
    return 'begin with a thing of the code or of the field, or with a verb'
  const words = text.split(/\s+/).length
  return words > limit ? `write at most ${limit} words, found ${words}; one fact a sentence` : undefined
}

const problemsOf = (path: string, sentences: readonly Sentence[], limit: number): readonly string[] =>
  sentences.flatMap(({ line, text }) => {
    const problem = problemOf(text, limit)
    return problem === undefined ? [] : [`${path}:${line}: ${problem}: ${text}`]
  })

const commentProblems = (path: string, source: string): readonly string[] =>
  problemsOf(path, sentencesOfComments(source), maxWords.comment)

describe('plain words', () => {
  it('are those of all comments', () => {
    const files = execFileSync('git', ['ls-files', 'src', 'demo', 'scripts', 'test', 'agents', 'loadtest'])
      .toString()
      .split('\n')
      .filter((path) => /\.(?:ts|mts|mjs|js)$/.test(path) && !path.startsWith('test/compat/v'))
    expect(files.length).to.be.greaterThan(900)
    expect(files.flatMap((path) => commentProblems(path, readFileSync(path, 'utf8')))).to.deep.equal([])
  })

  for (const { path } of pages) {
    it(`are those of ${path}`, () => {
      expect(problemsOf(path, sentencesOfPage(readFileSync(path, 'utf8')), maxWords.page)).to.deep.equal([])
    })
  }

  for (const { name, source, want } of [
    { name: 'a riddle', source: '/** What is read is kept. */', want: 1 },
    { name: 'a riddle after a sentence', source: '// It reads. Who asks is known.', want: 1 },
    {
      name: 'a riddle on the second line',
      source: '  /**\n   * Reads.\n   * What failed stays.\n   */',
      want: 1,
    },
    { name: 'an unknown subject', source: '// A key for whoever asks.', want: 1 },
    { name: 'a sentence that goes on', source: `// ${'word '.repeat(33)}`, want: 1 },
    { name: 'a riddle in an item', source: '/**\n * - What it is.\n */', want: 1 },
    { name: 'a question', source: '// Who calls?', want: 0 },
    { name: 'words within a sentence', source: '// Says what failed, and who asked.', want: 0 },
    { name: 'code', source: 'const text = "Who is it"', want: 0 },
    { name: 'sentences that are short each', source: `// ${`${'word '.repeat(30)}. `.repeat(3)}`, want: 0 },
  ]) {
    it(`${want === 0 ? 'allow' : 'exclude'} ${name}`, () => {
      expect(commentProblems('a.ts', source)).to.have.length(want)
    })
  }
})
