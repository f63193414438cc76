import { setFlagsFromString } from 'node:v8'
import type { Command } from 'commander'
import type { App } from '../app/app.ts'
import { isConfigProblems } from '../config/config.ts'
import { complainAboutConfig, readConfigFile } from './config-file.ts'
import {
  describeError,
  type ExitCode,
  exitCodes,
  type Finish,
  helpFooter,
  type Terminal,
} from './terminal.ts'

/** Adds `serve`. */
export function addServe(program: Command, terminal: Terminal, finish: Finish): void {
  const codes =
    '0 stopped by SIGTERM or SIGINT, 1 it could not start or was stopped twice, 78 the configuration cannot serve'
  program
    .command('serve')
    .description('answer Envoy until SIGTERM or SIGINT, then drain')
    .requiredOption('-c, --config <file>', 'the configuration')
    .addHelpText('after', helpFooter('waywarden serve -c waywarden.yaml', codes))
    .action(async ({ config }: { readonly config: string }) => finish(await serve(config, terminal)))
}

async function serve(file: string, terminal: Terminal): Promise<ExitCode> {
  const config = await readConfigFile(file)
  if (isConfigProblems(config)) {
    complainAboutConfig(config, terminal)
    return exitCodes.config
  }
  const stopped = terminal.stopSignal()
  // A collection of young garbage would wait for helper threads, which on few or limited cores wait for their turn: for all
  // of these milliseconds no request is answered, while one thread is done in half of one.
  setFlagsFromString('--no-parallel-scavenge')
  let app: App
  try {
    // Only here is the whole house needed; the other commands start without it.
    const { startApp } = await import('../app/app.ts')
    app = await startApp(config)
  } catch (error) {
    for (const problem of problemsOf(error)) terminal.complain(`waywarden: cannot start: ${problem}`)
    return exitCodes.negative
  }
  try {
    await app.drain(await stopped)
  } finally {
    await app[Symbol.asyncDispose]()
  }
  return exitCodes.ok
}

/** Whoever starts a server wants to fix everything at once, so an error that carries several problems is printed whole. */
function problemsOf(error: unknown): readonly string[] {
  const problems = error instanceof Error && 'problems' in error ? error.problems : undefined
  return Array.isArray(problems) ? problems.map(String) : [describeError(error)]
}
