import { closeSync, openSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import type { Event } from '../../src/base/model/event.ts'
import { WorkerPool } from '../../src/server/workers/worker-pool.ts'
import { noSharedKeys } from './no-keys.ts'

// Runs workers under a low limit of open files, and prints what is told of the first when it ends while none is to spare.
const events: Event[] = []
const program = {
  program: 'test/support/fake-worker.mjs',
  file: 'waywarden.yaml',
  text: 'serves serves',
  keys: noSharedKeys,
  writeOut: () => {},
  writeError: () => {},
}
await using pool = new WorkerPool(2, program, (event) => events.push(event))
await pool.open(async () => {}, new AbortController().signal)

const held: number[] = []
pool.slots[0]?.kill()
while (events.filter(({ kind }) => kind === 'worker_ended').length < 2) {
  holdAll()
  await wait(5)
}
for (const descriptor of held) closeSync(descriptor)
while (!pool.slots.every(({ isOpen }) => isOpen)) await wait(5)
console.log(JSON.stringify(events.slice(2)))

function holdAll(): void {
  try {
    for (;;) held.push(openSync('/dev/null', 'r'))
  } catch {
    // None is left.
  }
}
