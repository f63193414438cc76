// Runs all tests as on a machine that is about four times slower: under `nice`, beside a busy loop on each of two
// processors. Beside a loop of usual priority, niceness 5 leaves a quarter of a processor (sched(7)).
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const cwd = fileURLToPath(new URL('..', import.meta.url))
const loops = [1, 2].map(() => spawn(process.execPath, ['-e', 'for (;;) {}'], { stdio: 'ignore' }))
process.on('exit', () => {
  for (const loop of loops) loop.kill('SIGKILL')
})
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))

const tests = spawn('nice', ['-n', '5', process.execPath, 'scripts/run-tests.mjs', 'all'], {
  cwd,
  stdio: 'inherit',
})
const [code] = await once(tests, 'exit')
process.exit(code ?? 1)
