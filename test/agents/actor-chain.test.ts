import { get } from 'node:http'
import { expect } from 'chai'
import { carryChain, createActorChain, currentChain, runWithChain } from '../../agents/node/actor-chain.js'
import { echoChain, listen } from './servers.ts'

const { middleware, headersFor } = createActorChain({ allow: ['127.0.0.1'] })

describe('agents/node/actor-chain', () => {
  it('knows no chain outside a request', () => {
    expect(currentChain()).to.equal(undefined)
  })

  it('replaces a chain that the caller put among the headers, however written', () => {
    const headers = { 'Actor-Chain': 'old', accept: 'text/plain' }
    const ours = runWithChain('new', () => headersFor('http://127.0.0.1', headers))
    expect(ours).to.deep.equal({ accept: 'text/plain', 'actor-chain': 'new' })
    expect(runWithChain('new', () => headersFor('http://a.com', headers))).to.deep.equal({
      accept: 'text/plain',
    })
  })

  it('takes headers as pairs too', () => {
    const headers = headersFor(
      'http://127.0.0.1',
      new Headers({ 'actor-chain': 'old', accept: 'text/plain' }),
    )
    expect(headers).to.deep.equal({ accept: 'text/plain' })
  })

  it('carries the chain of now into what is called later for somebody else', () => {
    const later = runWithChain('clerk', () => carryChain((suffix: string) => `${currentChain()}${suffix}`))
    expect(runWithChain('clinician', () => later('!'))).to.equal('clerk!')
  })

  it('serves 1,000 interleaved requests of two users on shared connections without mixing or losing one', async () => {
    await using upstream = await listen(echoChain)
    const url = `http://127.0.0.1:${upstream.port}`
    await using agent = await listen((request, response) =>
      middleware(request, response, async () => {
        await new Promise(setImmediate)
        const seen = await Promise.all([1, 2, 3].map(() => textOf(url, headersFor(url))))
        response.end(JSON.stringify(seen))
      }),
    )
    const users = Array.from({ length: 334 }, (_, index) => (index % 2 === 0 ? 'clerk' : 'clinician'))
    const answers = await Promise.all(
      users.map((user) => textOf(`http://127.0.0.1:${agent.port}`, { 'actor-chain': user })),
    )
    expect(answers.map((answer) => JSON.parse(answer))).to.deep.equal(users.map((user) => [user, user, user]))
  })

  it('keeps the chain in the events of a request, and forgets it for the next on the same connection', async () => {
    await using agent = await listen((request, response) =>
      middleware(request, response, () => {
        request.resume().on('end', () => response.end(currentChain() ?? 'none'))
      }),
    )
    const url = `http://127.0.0.1:${agent.port}`
    expect(await textOf(url, { 'actor-chain': 'clerk' })).to.equal('clerk')
    expect(await textOf(url, {})).to.equal('none')
    expect(await textOf(url, { 'actor-chain': 'clinician' })).to.equal('clinician')
  })
})

function textOf(url: string, headers: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { headers }, async (response) => {
      let text = ''
      for await (const chunk of response) text += chunk
      resolve(text)
    }).on('error', reject)
  })
}
