import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { copyPolicies } from '../support/sample-policies.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { run } from '../support/terminal.ts'

const good = `version: 1
listeners: [{address: 127.0.0.1:0, peer: xfcc}]
admin: {address: 127.0.0.1:0}
drain: 0s
chain: {issuer: https://waywarden.hospital.example, trustDomain: hospital.example, keys: ./keys}
policy: {directory: ./policies}
audit: {directory: ./audit}
log: {level: error}
`

describe('cli/serve', () => {
  it('serves until it is asked to stop, and ends with 0', async () => {
    expect(await serve(good)).to.deep.equal({ code: 0, out: '', err: '' })
  })

  it('prints every problem of the configuration and starts nothing', async () => {
    const { code, err } = await serve(good.replace('xfcc', 'xfc').replace('0s', '0'))
    expect(code).to.equal(78)
    expect(err).to.include('`listeners.0.peer`').and.to.include('`drain`')
  })

  it('ends with 78 and one line for a file that it cannot use, as `config check` does', async () => {
    const { code, err } = await serve(good.replace('./keys', './absent'))
    expect(code).to.equal(78)
    expect(err).to.match(/^waywarden: cannot start: [^\n]+active\.jwk\.json[^\n]+$/)
  })

  it('ends with 1 and one line for a port that is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const address = other.address()
    const port = typeof address === 'object' ? address?.port : 0
    const { code, err } = await serve(
      good.replace('listeners: [{address: 127.0.0.1:0', `listeners: [{address: 127.0.0.1:${port}`),
    )
    other.close()
    expect(code).to.equal(1)
    expect(err).to.match(
      /^waywarden: cannot start: cannot listen on `127\.0\.0\.1:\d+`: another process listens there[^\n]+$/,
    )
  })
})

async function serve(text: string): ReturnType<typeof run> {
  const directory = temporaryDirectory()
  const file = join(directory, 'waywarden.yaml')
  await mkdir(join(directory, 'keys'))
  await run(['keys', 'init', join(directory, 'keys')])
  copyPolicies(join(directory, 'policies'))
  await writeFile(file, text)
  return run(['serve', '-c', file])
}
