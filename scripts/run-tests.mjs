import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import Mocha from 'mocha'
import { register as registerForRequire } from 'tsx/cjs/api'
import { register } from 'tsx/esm/api'

// Runs mocha's usual output and ends with one line for scripts: `N passed, N failed`.
// `fast` leaves out what needs a real Envoy or the tools of istio/; `all` runs everything.

const root = fileURLToPath(new URL('..', import.meta.url))
const selection = process.argv[2]
if (selection !== 'fast' && selection !== 'all') {
  console.error(`expected \`fast\` or \`all\`, found \`${selection}\``)
  process.exit(2)
}

const files = readdirSync(`${root}test`, { recursive: true })
  .filter((file) => file.endsWith('.test.ts'))
  .filter((file) => selection === 'all' || !/^(?:e2e|istio)\//.test(file))
  .sort()
const { timeout } = JSON.parse(readFileSync(`${root}.mocharc.json`, 'utf8'))

process.chdir(root)
register()
// Mocha requires what it could not import, and would then hide why behind a syntax error.
registerForRequire()
const mocha = new Mocha({ timeout, forbidOnly: true, forbidPending: true })
for (const file of files) mocha.addFile(`test/${file}`)
await mocha.loadFilesAsync()

const runner = mocha.run((failures) => {
  process.exitCode = failures === 0 ? 0 : 1
  process.on('exit', () => console.log(`${runner.stats?.passes ?? 0} passed, ${failures} failed`))
  // A server or a child process that a test forgot would keep CI waiting.
  setTimeout(() => {
    console.error('a test left something running')
    process.exit(1)
  }, 10_000).unref()
})
