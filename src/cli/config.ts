import type { Command } from 'commander'
import { configJsonSchema, isConfigProblems } from '../config/config.ts'
import { remarksOn } from '../config/remarks.ts'
import { complainAboutConfig, defaultConfigFile, readConfigFile } from './config-file.ts'
import { type ExitCode, exitCodes, type Finish, helpFooter, type Terminal } from './terminal.ts'

/** Adds `config check` and `config schema`. */
export function addConfig(program: Command, terminal: Terminal, finish: Finish): void {
  const config = program.command('config').description('check the configuration, or print its JSON Schema')
  config
    .command('check')
    .description('find everything that is wrong with a configuration, environment included')
    .option('-c, --config <file>', 'the configuration', defaultConfigFile)
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

type CheckOptions = { readonly config: string; readonly json?: true }

async function check({ config: file, json }: CheckOptions, terminal: Terminal): Promise<ExitCode> {
  const config = await readConfigFile(file)
  const isRefused = isConfigProblems(config)
  const remarks = isRefused ? [] : remarksOn(config)
  if (json) {
    const problems = isRefused ? config.problems : []
    terminal.print(JSON.stringify({ ok: !isRefused, problems, remarks }, undefined, 2))
  } else if (isRefused) {
    complainAboutConfig(config, terminal)
  } else {
    for (const { kind, text } of remarks) terminal.complain(`${file}: ${kind}: ${text}`)
    terminal.print(`${file}: the configuration can serve`)
  }
  return isRefused ? exitCodes.config : exitCodes.ok
}
