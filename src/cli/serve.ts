import type { Command } from 'commander'
import { isProblems } from '../base/model/problems.ts'
import type { Config } from '../config/config.ts'
import type { App } from '../server/app.ts'
import type { WorkerSource } from '../server/workers/workers.ts'
import { complainAboutConfig, defaultConfigFile, readConfigAndText } from './config-file.ts'
import { complainAboutStart, setUpEngine } from './serving.ts'
import { type ExitCode, exitCodes, type Finish, helpFooter, type Terminal } from './terminal.ts'

/** Adds `serve`. */
export function addServe(program: Command, terminal: Terminal, finish: Finish): void {
  const codes =
    '0 stopped by SIGTERM or SIGINT, 1 could not start or got a second signal, 78 the configuration, or a file that it names, cannot serve'
  program
    .command('serve')
    .description('answer Envoy until SIGTERM or SIGINT, then drain')
    .option('-c, --config <file>', 'the configuration', defaultConfigFile)
    .addHelpText('after', helpFooter('waywarden serve -c waywarden.yaml', codes))
    .action(async ({ config }: { readonly config: string }) => finish(await serve(config, terminal)))
}

async function serve(file: string, terminal: Terminal): Promise<ExitCode> {
  const { config, text } = await readConfigAndText(file)
  if (isProblems(config)) {
    complainAboutConfig(config, terminal)
    return exitCodes.config
  }
  const stopped = terminal.stopSignal()
  const stopping = new AbortController()
  void stopped.then(() => stopping.abort())
  setUpEngine()
  let app: App
  try {
    app = await start(config, { file, text, program: terminal.program }, stopping.signal)
  } catch (error) {
    if (error === stopping.signal.reason) return exitCodes.ok
    return complainAboutStart(error, terminal)
  }
  try {
    const end = await Promise.race([stopped, app.failed])
    if (typeof end !== 'string') return complainAboutStart(end, terminal)
    await app.drain(end)
    return exitCodes.ok
  } finally {
    await app[Symbol.asyncDispose]()
  }
}

/** Only `serve` needs the whole server. Other commands do not load it, and neither does the primary of workers. */
async function start(config: Config, source: WorkerSource, stopping: AbortSignal): Promise<App> {
  if (config.workers === 1) return (await import('../server/app.ts')).startApp(config)
  return (await import('../server/workers/workers.ts')).startWorkers(config, source, stopping)
}
