import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { runCommandLine } from '../src/cli/program.ts'
import { pages } from './support/pages.ts'

/** The arguments and options that `--help` of a command lists. */
type Usage = {
  /** Arguments that must be there. */
  readonly required: number
  /** How many arguments there may be; `Infinity` if the last one repeats. */
  readonly allowed: number
  /** By name with dashes: whether a value follows. */
  readonly options: ReadonlyMap<string, boolean>
}

describe('docs: commands', () => {
  for (const { path, spans } of pages) {
    it(`${path}: every command that it names exists and has the options that it gives`, async () => {
      expect(await complaintsAbout(spans.filter(isCommand), false)).to.deep.equal([])
    })
  }

  for (const { path, fences } of pages) {
    it(`${path}: every command that it has one run is complete`, async () => {
      const scripts = fences.filter(({ language }) => language === 'sh').map(({ text }) => text)
      const commands = scripts.flatMap((text) => text.split(/[\n;|]|&&/)).map((part) => part.trim())
      expect(await complaintsAbout(commands.filter(isCommand), true)).to.deep.equal([])
    })
  }

  const faults = [
    { command: 'waywarden audit shew DIR', why: 'there is no such command' },
    { command: 'waywarden audit show DIR --json', why: '1 arguments' },
    { command: 'waywarden keys init ./keys ./more', why: '2 arguments' },
    { command: 'waywarden audit find DIR --codes overloaded', why: 'no option --codes' },
    { command: 'waywarden why "$ID" --audit - --json', why: undefined },
  ]
  for (const { command, why } of faults) {
    it(`\`${command}\`: ${why ?? 'is complete'}`, async () => {
      const expected = why === undefined ? [] : [`${command}: ${why}`]
      expect(await complaintsAbout([command], true)).to.deep.equal(expected)
    })
  }

  it('the workflow of policies/ runs commands that exist', async () => {
    const workflow = readFileSync('policies/.github/workflows/policies.yaml', 'utf8')
    const commands = [...workflow.matchAll(/\$WAYWARDEN (policy [a-z]+ .*?)(?: \|\| true)?$/gm)].map(
      ([, words = '']) => `waywarden ${words}`,
    )
    expect(commands.map((command) => command.split(' ')[2])).to.deep.equal(['check', 'test', 'lint', 'diff'])
    expect(await complaintsAbout(commands, true)).to.deep.equal([])
  })
})

function isCommand(text: string): boolean {
  return /^(?:waywarden|node dist\/main\.js) [a-z]/.test(text)
}

async function complaintsAbout(commands: readonly string[], isComplete: boolean): Promise<readonly string[]> {
  const complaints: string[] = []
  for (const command of commands) {
    const complaint = await complaintAbout(command, isComplete)
    if (complaint !== undefined) complaints.push(`${command}: ${complaint}`)
  }
  return complaints
}

/** The reason why a command cannot run as written; a command that is only named need not have its arguments. */
async function complaintAbout(command: string, isComplete: boolean): Promise<string | undefined> {
  const [, ...words] =
    command
      .replace('node dist/main.js', 'waywarden')
      .split(/\s+[<>]|\s+#/)[0]
      ?.split(/\s+/) ?? []
  const known = await findUsage(words)
  if (known === undefined) return 'there is no such command'
  const { usage, rest } = known
  let count = 0
  for (let index = 0; index < rest.length; index++) {
    const word = rest[index] ?? ''
    if (!/^--?[a-z]/.test(word)) count++
    else if (!usage.options.has(word)) return `no option ${word}`
    else if (usage.options.get(word)) index++
  }
  const mustCount = isComplete || count > 0
  return mustCount && (count < usage.required || count > usage.allowed) ? `${count} arguments` : undefined
}

/** The longest beginning of the words that is a command, and what follows. */
async function findUsage(
  words: readonly string[],
): Promise<{ readonly usage: Usage; readonly rest: readonly string[] } | undefined> {
  const length = words.findIndex((word) => !/^[a-z]+$/.test(word))
  for (let end = length === -1 ? words.length : length; end > 0; end--) {
    const help = await readHelp(words.slice(0, end))
    if (help === undefined) continue
    // A group of commands takes no argument of its own.
    if (help.includes('[command]') && words.length > end) return undefined
    return { usage: toUsage(help), rest: words.slice(end) }
  }
  return undefined
}

/** Returns the output of `--help`; `undefined` for words that are no command. */
async function readHelp(command: readonly string[]): Promise<string | undefined> {
  const printed: string[] = []
  await runCommandLine([...command, '--help'], {
    print: (line) => printed.push(line),
    complain: () => {},
    readStdin: async () => new Uint8Array(),
    stopSignal: async () => '',
    program: '',
    nowMs: Date.now,
    isTerminal: false,
    hasColors: false,
  })
  const help = printed.join('\n')
  return help.startsWith(`Usage: waywarden ${command.join(' ')} `) ? help : undefined
}

function toUsage(help: string): Usage {
  const [line = ''] = help.split('\n')
  const options = [...help.matchAll(/^ {2}(?:(-\w), )?(--[a-z-]+)( [<[])?/gm)].flatMap(
    ([, short, long = '', value]) =>
      [short, long].map((name) => [name ?? long, value !== undefined] as const),
  )
  const all = line.match(/[<[][a-z]+(?:\.\.\.)?[>\]]/g)?.filter((name) => name !== '[options]') ?? []
  return {
    required: all.filter((name) => name.startsWith('<')).length,
    allowed: line.includes('...') ? Number.POSITIVE_INFINITY : all.length,
    options: new Map(options),
  }
}
