import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { type GuideStep, parseGuide } from '../../scripts/mesh/guide.ts'
import { type Printed, Session } from '../../scripts/mesh/session.ts'
import { cluster } from './cluster.ts'

/** The page that these tests follow. */
export const page = 'docs/install.md'

/** The titles of its steps. */
export const titles = {
  look: '1. Look before you touch',
  build: '2. Build the image',
  adapt: '3. Make it yours',
  start: '4. Start Waywarden and the waypoint',
  ask: '5. Tell istiod whom to ask',
  enrol: '6. Enrol one namespace, and only watch',
  enforce: '7. Enforce',
  leave: '9. Leave again',
  chart: 'With Helm instead of kustomize',
} as const

let opened: Promise<Reader> | undefined

/** The one reader of a run. A test file goes on where the one before it stopped reading. */
export function openGuide(): Promise<Reader> {
  opened ??= open()
  return opened
}

async function open(): Promise<Reader> {
  const mesh = await cluster()
  const mine = join(mesh.workspace, '..', 'my-mesh')
  mkdirSync(mine)
  return new Reader(page, new Session(mesh.env, mesh.workspace), mine)
}

after(async () => {
  const reader = await opened?.catch(() => undefined)
  await reader?.close()
})

/** The values for the page's placeholders, by their text on the page. */
export type Replacements = Readonly<Record<string, string>>

/** A reader of docs/install.md: runs its commands as they stand, and remembers which ones and what was seen. */
export class Reader {
  readonly #steps: readonly GuideStep[]
  readonly #followed = new Set<string>()
  readonly #session: Session

  /** The reader's own repository, which the page calls `../my-mesh`. */
  readonly mine: string

  constructor(file: string, session: Session, mine: string) {
    this.#steps = parseGuide(readFileSync(file, 'utf8'))
    this.#session = session
    this.mine = mine
  }

  async close(): Promise<void> {
    await this.#session[Symbol.asyncDispose]()
  }

  /** Runs the commands of one block of a step. Each must succeed, but for those that `mayFail` names. */
  async follow(
    title: string,
    block: number,
    replacements: Replacements = {},
    mayFail: RegExp = /^$/,
  ): Promise<readonly Printed[]> {
    const commands = this.#step(title).blocks[block]
    if (commands === undefined) throw new Error(`step \`${title}\` has no block ${block}`)
    this.#followed.add(`${title} ${block}`)
    const printed: Printed[] = []
    for (const command of commands) {
      const meant = Object.entries(replacements).reduce(
        (text, [from, to]) => text.replaceAll(from, to),
        command,
      )
      const found = await this.#session.run(meant)
      if (found.code !== 0 && !mayFail.test(meant))
        throw new Error(`\`${meant}\` ended with ${found.code}:\n${found.output}`)
      printed.push(found)
    }
    return printed
  }

  /** Counts a block as followed that something else has run. */
  follows(title: string, block: number): readonly string[] {
    this.#followed.add(`${title} ${block}`)
    return this.#step(title).blocks[block] ?? []
  }

  /** The page says this behind a `See:` of the step; the assertions that come next hold it. */
  sees(title: string, text: string): void {
    const index = this.#step(title).sees.findIndex((see) => see.includes(text))
    if (index < 0) {
      const found = this.#step(title).sees.join('\n')
      throw new Error(`step \`${title}\` says no more: See: … ${text}\nIt says:\n${found}`)
    }
    this.#followed.add(`${title} See ${index}`)
  }

  /** The steps of the page that no test has run or checked. */
  unfollowed(): readonly string[] {
    return this.#steps.flatMap(({ title, blocks, sees }) =>
      [
        ...blocks.map((_, index) => `${title} ${index}`),
        ...sees.map((_, index) => `${title} See ${index}`),
      ].filter((part) => !this.#followed.has(part)),
    )
  }

  #step(title: string): GuideStep {
    const step = this.#steps.find((candidate) => candidate.title === title)
    if (step === undefined) throw new Error(`the page has no step \`${title}\``)
    return step
  }
}

/** The last of some outputs. */
export function last(printed: readonly Printed[]): string {
  const found = printed.at(-1)
  expect(found).to.not.equal(undefined)
  return found?.output ?? ''
}
