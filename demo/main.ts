import { parseArgs } from 'node:util'
import type { Peer } from './envoys.ts'
import { startHospital } from './hospital.ts'
import { type Outcome, play } from './outcome.ts'
import { formatTable } from './table.ts'
import { formatTour } from './tour.ts'

type Options = { readonly isOnce: boolean; readonly isJson: boolean; readonly peer: Peer }

const usage = `npm start [-- options]: plays the hospital

  --once               end after the story: status 0, or 1 when a step came out otherwise than it should
  --json               one JSON object a step instead of the table
  --peer xfcc|metadata how the waypoint tells Waywarden who calls (default xfcc)`

process.exitCode = await main()

async function main(): Promise<number> {
  const options = readOptions()
  if (typeof options === 'number') return options
  const interrupted = untilInterrupted()
  try {
    const playing = playHospital(options, interrupted)
    // A start that hangs is not waited for; leaving ends the children, too.
    void interrupted.then(() => setTimeout(() => process.exit(130), 10_000).unref())
    return await playing
  } catch (error) {
    console.error(`the hospital cannot run: ${error instanceof Error ? error.message : String(error)}`)
    return 1
  }
}

async function playHospital(options: Options, interrupted: Promise<void>): Promise<number> {
  if (!options.isJson)
    console.log('opening the hospital: two Envoys, Waywarden, a gateway, three agents, two services …\n')
  await using hospital = await startHospital({ peer: options.peer })
  const outcomes = await play(hospital)
  console.log(options.isJson ? toJsonLines(outcomes) : formatTable(outcomes, process.stdout.isTTY === true))
  const isAsExpected = outcomes.every(({ ok }) => ok)
  if (!options.isJson) console.log(`\n${summarize(outcomes)}`)
  if (!options.isOnce) {
    if (!options.isJson) console.log(await formatTour(hospital, outcomes))
    await interrupted
  }
  return isAsExpected ? 0 : 1
}

function readOptions(): Options | number {
  try {
    const { values } = parseArgs({
      options: {
        once: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        peer: { type: 'string', default: 'xfcc' },
        help: { type: 'boolean', default: false },
      },
    })
    const { once: isOnce, json: isJson, peer } = values
    if (values.help) return tell(usage, 0)
    if (peer !== 'xfcc' && peer !== 'metadata')
      return tell(`--peer: expected xfcc or metadata, found \`${peer}\``, 2)
    return { isOnce, isJson, peer }
  } catch (error) {
    return tell(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`, 2)
  }
}

function tell(text: string, status: number): number {
  if (status === 0) console.log(text)
  else console.error(text)
  return status
}

function untilInterrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve())
  })
}

function toJsonLines(outcomes: readonly Outcome[]): string {
  // Every step has the same keys: what there is not is null.
  const toJson = (outcome: Outcome): string => JSON.stringify(outcome, (_, value: unknown) => value ?? null)
  return outcomes.map(toJson).join('\n')
}

function summarize(outcomes: readonly Outcome[]): string {
  const unexpected = outcomes.filter(({ ok }) => !ok)
  if (unexpected.length === 0) return `${outcomes.length} steps, each as it should be`
  return `${unexpected.length} of ${outcomes.length} steps came out otherwise: ${unexpected.map(({ step }) => step).join(', ')}`
}
