import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { addAudit } from './audit.ts'
import { addCatalog } from './catalog.ts'
import { addChain } from './chain.ts'
import { addConfig } from './config.ts'
import { addDoctor } from './doctor.ts'
import { addKeys } from './keys.ts'
import { addPolicy } from './policy.ts'
import { addReport } from './report.ts'
import { addServe } from './serve.ts'
import { describeError, type ExitCode, exitCodes, type Terminal } from './terminal.ts'
import { addWhy } from './why.ts'
import { addWorker } from './worker.ts'

/** Runs one command line, without the program's name, and returns its exit code. */
export async function runCommandLine(argv: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let code: ExitCode = exitCodes.ok
  const program = createProgram(terminal)
  for (const add of [
    addServe,
    addWorker,
    addConfig,
    addKeys,
    addChain,
    addPolicy,
    addCatalog,
    addReport,
    addWhy,
    addAudit,
    addDoctor,
  ]) {
    add(program, terminal, (given) => {
      code = given
    })
  }
  try {
    await program.parseAsync(argv, { from: 'user' })
    return code
  } catch (error) {
    // Commander has printed its own complaint, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    terminal.complain(`waywarden: ${describeError(error)}`)
    return exitCodes.negative
  }
}

function createProgram(terminal: Terminal): Command {
  return new Command('waywarden')
    .description('decides whether every actor of a delegation chain is authorized, for Istio waypoints')
    .version(version())
    .helpCommand(false)
    .showHelpAfterError('`--help` shows what there is')
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
