import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { isProblems } from '../../src/base/model/problems.ts'
import type { Config } from '../../src/config/config.ts'
import { parseConfig } from '../../src/config/config.ts'
import { StartError } from '../../src/server/start-context.ts'
import { openTracing } from '../../src/server/tracing.ts'
import { openNoFeed } from '../support/no-keys.ts'
import { startOtlpReceiver } from '../support/otlp-receiver.ts'
import { settings } from '../support/settings.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

let directory: string
let file: string

function configured(url: string): Config {
  const tracing = `tracing: {sample: 1, endpoints: [{url: "${url}", headers: [{name: authorization, file: token}]}]}`
  const parsed = parseConfig(join(directory, 'waywarden.yaml'), `${settings}${tracing}\n`, new Map())
  if (isProblems(parsed)) throw new TypeError(JSON.stringify(parsed.problems))
  return parsed
}

async function open(config: Config) {
  const closing: AsyncDisposable[] = []
  const tracer = await openTracing(config, {
    closing,
    followed: [],
    report: () => {},
    pollMs: 1000,
    openFeed: openNoFeed,
  })
  return { tracer, closing }
}

describe('server/tracing', () => {
  before(() => {
    directory = temporaryDirectory()
    file = join(directory, 'token')
  })

  it('opens nothing unless it is asked to', async () => {
    const { tracer, closing } = await open({ ...configured('http://127.0.0.1:9'), tracing: undefined })
    expect(tracer).to.equal(undefined)
    expect(closing).to.deep.equal([])
  })

  const values: readonly { readonly name: string; readonly value: string | undefined }[] = [
    { name: 'cannot be read', value: undefined },
    { name: 'is empty', value: '\n' },
    { name: 'has two lines', value: 'secret-1\r\nx-injected: 1' },
    { name: 'has more than visible ASCII', value: 'secret-ü' },
  ]
  for (const { name, value } of values) {
    it(`does not start when the file of a header ${name}, and does not tell its value`, async () => {
      if (value !== undefined) await writeFile(file, value)
      const error = await open(configured('http://127.0.0.1:9')).catch((cause: unknown) => cause)
      expect(error).to.be.instanceOf(StartError)
      expect(String(error)).to.contain(file).and.to.not.contain('secret')
    })
  }

  it('sends with the value that the file has at that moment', async () => {
    await using receiver = await startOtlpReceiver()
    await writeFile(file, 'Bearer old\n')
    const { tracer, closing } = await open(configured(receiver.url))
    await writeFile(file, 'Bearer new\n')
    const watch = tracer?.begin(new Map(), undefined, 0)
    if (watch === undefined) expect.fail('nothing is watched')
    tracer?.end(watch, { outcome: 'allow' }, () => ({ decisionId: 'd', outcome: 'allow', results: [] }))
    for (const part of closing) await part[Symbol.asyncDispose]()
    expect(receiver.requests.map(({ path, headers }) => [path, headers.authorization])).to.deep.equal([
      ['/v1/traces', 'Bearer new'],
    ])
  })
})
