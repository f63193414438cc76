import type { Command } from 'commander'
import { isProblems } from '../base/model/problems.ts'
import { parseConfig, readEnv } from '../config/config.ts'
import { complainAboutConfig } from './config-file.ts'
import { complainAboutStart, setUpEngine } from './serving.ts'
import { type ExitCode, exitCodes, type Finish, type Terminal } from './terminal.ts'

/** Adds `worker`, which only `serve` starts, once for each worker. */
export function addWorker(program: Command, terminal: Terminal, finish: Finish): void {
  program
    .command('worker', { hidden: true })
    .description('run one worker of `serve`')
    .argument('<number>', 'the number of the worker, for lists of processes')
    .action(async () => finish(await serveAsWorker(terminal)))
}

async function serveAsWorker(terminal: Terminal): Promise<ExitCode> {
  const { connectToPrimary, work } = await import('../server/workers/worker.ts')
  const primary = connectToPrimary()
  if (primary === undefined) {
    terminal.complain('waywarden: only `serve` starts `worker`; set `workers` in its configuration')
    return exitCodes.usage
  }
  // A terminal signals all processes of its group; the primary alone decides when a worker stops.
  void terminal.stopSignal()
  setUpEngine()
  try {
    const order = await primary.openOrder
    if (order === undefined) return exitCodes.negative
    const { file, text, worker } = order
    const config = parseConfig(file, text, readEnv())
    if (isProblems(config)) {
      complainAboutConfig(config, terminal)
      return exitCodes.config
    }
    return (await work(config, worker, primary)) === 'drained' ? exitCodes.ok : exitCodes.negative
  } catch (error) {
    return complainAboutStart(error, terminal)
  } finally {
    primary.disconnect()
  }
}
