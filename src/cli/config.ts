import type { Command } from 'commander'
import { isProblems } from '../base/model/problems.ts'
import { type ConfigProblem, configJsonSchema } from '../config/config.ts'
import { type Remark, remarksOn } from '../config/remarks.ts'
import { complainAboutConfig, defaultConfigFile, readConfigFile } from './config-file.ts'
import { type ExitCode, exitCodes, type Finish, helpFooter, type Terminal, toLine } from './terminal.ts'

/** Adds `config check` and `config schema`. */
export function addConfig(program: Command, terminal: Terminal, finish: Finish): void {
  const config = program.command('config').description('check the configuration, or print its JSON Schema')
  config
    .command('check')
    .description('check a configuration, including the environment and the files and policies that it names')
    .option('-c, --config <file>', 'the configuration', defaultConfigFile)
    .option(
      '--no-secrets',
      'assume that private keys and other secrets are valid, if they are not on this machine',
    )
    .option('--no-files', 'check only the text, if the files that it names are not on this machine')
    .option('--git', 'also fetch and load the policies of `policy.git`')
    .option('--online', 'also fetch the keys of identity providers, and print them')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      helpFooter('waywarden config check -c waywarden.yaml', '0 it can serve, 78 it cannot'),
    )
    .action(async (options: CheckOptions) => finish(await check(options, terminal)))
  config
    .command('schema')
    .description('print the JSON Schema of waywarden.yaml, for editors')
    .addHelpText('after', helpFooter('waywarden config schema > waywarden.schema.json', '0 printed'))
    .action(() => terminal.print(JSON.stringify(configJsonSchema(), undefined, 2)))
}

type CheckOptions = {
  readonly config: string
  readonly files: boolean
  readonly secrets: boolean
  readonly git?: true
  readonly online?: true
  readonly json?: true
}

/** The problems and remarks of the configuration and of the files that it names. */
type Checked = {
  readonly problems: readonly ConfigProblem[]
  readonly remarks: readonly Remark[]
  readonly notices: readonly string[]
  /** The fetched documents. */
  readonly found: readonly string[]
  readonly untried: readonly string[]
}

const nothing = { problems: [], remarks: [], notices: [], found: [], untried: [] }

async function check(options: CheckOptions, terminal: Terminal): Promise<ExitCode> {
  const { config: file, json } = options
  const checked = await checkFile(options, terminal)
  const isRefused = checked.problems.length > 0
  if (json) terminal.print(JSON.stringify({ ok: !isRefused, ...checked }, undefined, 2))
  else {
    const { problems, remarks, notices, found, untried } = checked
    for (const { kind, text } of remarks) terminal.complain(toLine(`${kind}: ${text}`))
    for (const notice of notices) terminal.complain(toLine(`notice: ${notice}`))
    for (const what of found) terminal.print(toLine(`found: ${what}`))
    for (const what of untried) terminal.complain(toLine(`not checked: ${what}`))
    if (isRefused) complainAboutConfig({ kind: 'problems', problems }, terminal)
    else
      terminal.print(
        `${file}: ${options.files ? 'the configuration can serve' : 'the text of the configuration is valid'}`,
      )
  }
  return isRefused ? exitCodes.config : exitCodes.ok
}

async function checkFile(
  { config: file, files, secrets, git, online }: CheckOptions,
  terminal: Terminal,
): Promise<Checked> {
  const config = await readConfigFile(file)
  if (isProblems(config)) return { ...nothing, problems: config.problems }
  const remarks = remarksOn(config)
  if (!files) return { ...nothing, remarks, untried: ['the files that it names (`--no-files`)'] }
  const { tryConfig } = await import('../server/trial.ts')
  const options = {
    readsSecrets: secrets,
    fetchesGit: git === true,
    fetchesKeys: online === true,
    nowMs: terminal.nowMs(),
  }
  const { problems, notices, found: fetched, untried } = await tryConfig(config, options)
  // The warnings among the remarks are also notices; they are printed once.
  const others = notices.filter((notice) => !remarks.some(({ text }) => text === notice))
  const refused = problems.map((message) => ({ path: '', place: '', message }))
  return { problems: refused, remarks, notices: others, found: fetched, untried }
}
