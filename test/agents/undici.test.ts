import { expect } from 'chai'
import { createActorChain, runWithChain } from '../../agents/node/actor-chain.js'
import { echoChain, listen, redirectOrEcho } from './servers.ts'

// `localhost` is the same machine by a name that is not listed.
const { fetch, interceptor } = createActorChain({ allow: ['127.0.0.1'] })

describe('agents/node/undici', () => {
  it('sends the chain with the global fetch, and nothing when there is none', async () => {
    await using server = await listen(echoChain)
    const ask = () => textOf(fetch(`http://127.0.0.1:${server.port}`, { headers: { accept: 'text/plain' } }))
    expect(await runWithChain('clerk', ask)).to.equal('clerk')
    expect(await ask()).to.equal('none')
  })

  it('removes a chain that the caller set for an unlisted host', async () => {
    await using server = await listen(echoChain)
    const ask = () =>
      textOf(fetch(`http://localhost:${server.port}`, { headers: { 'actor-chain': 'clerk' } }))
    expect(await runWithChain('clerk', ask)).to.equal('none')
  })

  it('decides every hop of a redirect anew', async () => {
    await using server = await listen(redirectOrEcho)
    const listed = `http://127.0.0.1:${server.port}`
    const unlisted = `http://localhost:${server.port}`
    const cases: readonly (readonly [from: string, to: string, want: string])[] = [
      [listed, listed, 'clerk'],
      [listed, unlisted, 'none'],
      [unlisted, listed, 'clerk'],
      [unlisted, unlisted, 'none'],
    ]
    for (const [from, to, want] of cases) {
      const ask = () => textOf(fetch(`${from}/hop?to=${encodeURIComponent(to)}`))
      expect(await runWithChain('clerk', ask), `${from} -> ${to}`).to.equal(want)
    }
  })

  it('mixes none of 200 interleaved redirected calls of two users', async () => {
    await using server = await listen(redirectOrEcho)
    const url = `http://127.0.0.1:${server.port}/hop?to=/`
    const users = Array.from({ length: 200 }, (_, index) => (index % 2 === 0 ? 'clerk' : 'clinician'))
    const answers = await Promise.all(users.map((user) => runWithChain(user, () => textOf(fetch(url)))))
    expect(answers).to.deep.equal(users)
  })

  it('decides by the chain with which a dispatch began, behind a redirect too', () => {
    const seen: unknown[] = []
    const follow = interceptor((options: Dispatch, _handler: unknown) => {
      seen.push(options.headers)
      return true
    })
    const redirecting = interceptor((options: Dispatch, handler: unknown) => {
      follow({ ...options, origin: 'http://127.0.0.1' }, handler)
      return runWithChain('clinician', () => follow({ ...options, origin: 'http://127.0.0.1' }, handler))
    })
    runWithChain('clerk', () =>
      redirecting({ origin: 'http://a.com', headers: ['accept', '*/*'] }, undefined),
    )
    expect(seen).to.deep.equal(Array(2).fill(['accept', '*/*', 'actor-chain', 'clerk']))
  })
})

type Dispatch = { readonly origin: string; readonly headers: readonly string[] }

async function textOf(response: Promise<Response>): Promise<string> {
  return (await response).text()
}
