import { readFile, writeFile } from 'node:fs/promises'
import { expect } from 'chai'
import { parse, stringify } from 'yaml'
import { Processes } from '../../demo/processes.ts'
import { decodeCheckResponse, encodeCheckRequest } from '../support/check-request.ts'
import { until } from '../support/followed-provider.ts'
import { createGrpcClient, type GrpcClient } from '../support/grpc-client.ts'
import { uris } from '../support/hospital.ts'
import { createProviderKey, type Provider, startProvider, tokenBy } from '../support/provider.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { setUpWorkers } from '../support/worker-set-up.ts'

const [first, second, stranger] = [createProviderKey(), createProviderKey(), createProviderKey()]

describe('several workers, and a provider whose keys are fetched', () => {
  let processes: Processes
  let provider: Provider
  let admin = 0
  const clients: GrpcClient[] = []

  before(async () => {
    const directory = temporaryDirectory()
    processes = new Processes(directory)
    provider = await startProvider(first)
    const set = await setUpWorkers(directory)
    admin = set.admin
    const config = parse(await readFile(set.file, 'utf8'))
    const { jwks: _jwks, ...user } = config.users[0]
    const keys = { url: provider.jwksUrl, ca: provider.ca, cooldown: '10m' }
    await writeFile(set.file, stringify({ ...config, users: [{ ...user, keys }] }))
    await processes.start(set.program)
    await until(async () => (await readyz()).match(/"ready":true,"connections"/g)?.length === 2)
    // One connection for each worker.
    for (const _ of [1, 2]) {
      const client = createGrpcClient(set.listeners[0]?.target ?? 0)
      clients.push(client)
      await login(client, tokenBy(first))
    }
  })
  after(async () => {
    for (const client of clients) client.close()
    await processes[Symbol.asyncDispose]()
    await provider[Symbol.asyncDispose]()
  })

  async function readyz(): Promise<string> {
    return (await fetch(`http://127.0.0.1:${admin}/readyz`)).text()
  }

  async function login(client: GrpcClient | undefined, token: string): Promise<unknown> {
    const xfcc = `By=${uris.waypoint};URI=${uris.gateway}`
    const headers = { authorization: `Bearer ${token}`, 'x-forwarded-client-cert': xfcc }
    const request = { method: 'POST', path: '/tasks', destinationAddress: '10.96.0.4:8080', headers }
    const bytes = await client?.check(encodeCheckRequest(request))
    if (bytes === undefined) return undefined
    const { kind, body } = decodeCheckResponse(bytes)
    return kind === 'ok' ? 'ok' : body?.['code']
  }

  it('one process fetches for all of them', async () => {
    for (const client of clients) expect(await login(client, tokenBy(first))).to.equal('ok')
    expect((await readyz()).match(/"connections": ?1\b/g)).to.have.length(2)
    expect(provider.asked).to.deep.equal(['/jwks'])
  })

  it('a login of any worker brings the new key to all', async () => {
    provider.keys = [first, second]
    for (const client of clients) expect(await login(client, tokenBy(second))).to.equal('ok')
    expect(provider.asked).to.deep.equal(['/jwks', '/jwks'])
  })

  it('workers share the three fetches that keys which nobody knows may cause', async () => {
    for (const client of [...clients, ...clients, ...clients])
      expect(await login(client, tokenBy(createProviderKey()))).to.equal('token_key_unknown')
    for (const client of clients) expect(await login(client, tokenBy(stranger))).to.equal('token_key_unknown')
    expect(provider.asked).to.have.length(4)
    for (const client of clients) expect(await login(client, tokenBy(second))).to.equal('ok')
  })
})
