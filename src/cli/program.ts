import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { describeError, type ExitCode, exitCodes, type Finish, type Terminal } from './terminal.ts'

/** Runs one command line, without the program's name, and returns its exit code. */
export async function runCommandLine(argv: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let code: ExitCode = exitCodes.ok
  const program = createProgram(terminal)
  for (const load of toLoad(argv)) {
    const add = await load()
    add(program, terminal, (given) => {
      code = given
    })
  }
  for (const command of program.commands) explain(command)
  program.showHelpAfterError(`known here: ${namesOf(program)}; \`waywarden --help\` describes them`)
  try {
    await program.parseAsync(argv, { from: 'user' })
    return code
  } catch (error) {
    // Commander has already printed its error or the help.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    terminal.complain(`waywarden: ${describeError(error)}`)
    return exitCodes.negative
  }
}

/** Makes every usage error print the usage. */
function explain(command: Command): void {
  const path = pathOf(command)
  if (command.commands.length > 0) {
    command.showHelpAfterError(`known here: ${namesOf(command)}; \`${path} --help\` describes them`)
    command.commands.forEach(explain)
    return
  }
  const parts = command.registeredArguments.map(
    (argument) => `  ${argument.name().padEnd(10)} ${argument.description}`,
  )
  command.showHelpAfterError(
    [`usage: ${path} ${command.usage()}`, ...parts, `\`${path} --help\` has details`].join('\n'),
  )
  requireLast(command)
}

/** Checks missing options last. Commander checks them first, which would hide a misspelt option or a missing argument. */
function requireLast(command: Command): void {
  const required = command.options.filter(({ mandatory }) => mandatory)
  for (const option of required) option.mandatory = false
  command.hook('preAction', () => {
    const missing = required.filter((option) => command.getOptionValue(option.attributeName()) === undefined)
    if (missing.length === 0) return
    const lines = missing.map(({ flags, description }) => `  ${flags.padEnd(24)} ${description}`)
    command.error(['error: missing required options:', ...lines].join('\n'), {
      code: 'commander.missingMandatoryOptionValue',
    })
  })
}

function namesOf({ commands: all }: Command): string {
  return all
    .map((command) => command.name())
    .filter((name) => name !== 'worker')
    .join(', ')
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`
}

type Add = (program: Command, terminal: Terminal, finish: Finish) => void

/** In the order of the help. Loading all of them takes 0.2 seconds, so each is loaded on demand. */
const commands: ReadonlyMap<string, () => Promise<Add>> = new Map([
  ['serve', async () => (await import('./serve.ts')).addServe],
  ['worker', async () => (await import('./worker.ts')).addWorker],
  ['config', async () => (await import('./config.ts')).addConfig],
  ['keys', async () => (await import('./keys.ts')).addKeys],
  ['token', async () => (await import('./token.ts')).addToken],
  ['chain', async () => (await import('./chain.ts')).addChain],
  ['policy', async () => (await import('./policy.ts')).addPolicy],
  ['catalog', async () => (await import('./catalog.ts')).addCatalog],
  ['report', async () => (await import('./report.ts')).addReport],
  ['why', async () => (await import('./why.ts')).addWhy],
  ['audit', async () => (await import('./audit.ts')).addAudit],
  ['doctor', async () => (await import('./doctor.ts')).addDoctor],
])

function toLoad([name = '']: readonly string[]): readonly (() => Promise<Add>)[] {
  const only = commands.get(name)
  return only === undefined ? [...commands.values()] : [only]
}

function createProgram(terminal: Terminal): Command {
  return new Command('waywarden')
    .description('decides whether every actor of a delegation chain is authorized, for Istio waypoints')
    .version(version())
    .helpCommand('help [command]', 'describe a command')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.print(text.trimEnd()),
      writeErr: (text) => terminal.complain(text.trimEnd()),
    })
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  const isManifest = typeof manifest === 'object' && manifest !== null && 'version' in manifest
  return isManifest ? String(manifest.version) : 'unknown'
}
