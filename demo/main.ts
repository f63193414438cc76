import { parseArgs } from 'node:util'
import { type Hospital, startHospital } from './hospital.ts'
import { type Outcome, play } from './outcome.ts'
import { formatTable } from './table.ts'
import { formatTour } from './tour.ts'

const usage = `npm start [-- options]: plays the hospital

  --once               end after the story: status 0, or 1 when a step came out otherwise
  --json               one JSON object a step instead of the table
  --peer xfcc|metadata how the waypoint tells Waywarden who calls (default xfcc)`

// Leaving by any way stops the children: \`Processes\` sees to that when this process exits.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => leave(130))

await main()

async function main(): Promise<void> {
  const options = readOptions()
  await using hospital = await startHospital({ peer: options.peer })
  const outcomes = await play(hospital)
  print(outcomes, options.isJson, hospital)
  process.exitCode = outcomes.every(({ ok }) => ok) ? 0 : 1
  if (options.isOnce) return
}
