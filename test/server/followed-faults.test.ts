import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { createCa } from '../../demo/ca.ts'
import type { Poller } from '../../src/base/follow/poller.ts'
import type { Event } from '../../src/base/model/event.ts'
import { isProblems } from '../../src/base/model/problems.ts'
import { parseTrustDomain } from '../../src/base/model/spiffe-id.ts'
import { type Config, parseConfig } from '../../src/config/config.ts'
import { openCredentials } from '../../src/server/credentials.ts'
import type { StartContext } from '../../src/server/start-context.ts'
import { followCertificates } from '../../src/server/tls/certificates.ts'
import { errnos, failCallsUnder } from '../support/failing-calls.ts'
import { good, readJwks, readKey } from '../support/forge.ts'
import { openNoFeed } from '../support/no-keys.ts'
import { settings } from '../support/settings.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

/** Something that is followed: how it is reset and change a change that takes rights away, and what is in force. */
type Followed = AsyncDisposable & {
  readonly poller: Poller
  readonly reset: () => void
  readonly change: () => void
  readonly inForce: () => unknown
  readonly events: readonly Event[]
}

const what = {
  keys: {
    title: 'a chain key that is taken away',
    open: (directory: string) =>
      openCredential(directory, 0, {
        reset: () => writeFileSync(join(directory, 'keys/previous.jwk.json'), readKey('stranger')),
        change: () => rmSync(join(directory, 'keys/previous.jwk.json')),
        inForce: ({ keys }) => keys().verifying.keys.size,
      }),
    values: [2, 1],
  },
  issuer_keys: {
    title: 'a key that an identity provider withdraws',
    open: (directory: string) =>
      openCredential(directory, 1, {
        reset: () => writeFileSync(join(directory, 'idp-jwks.json'), readJwks('hospital-idp', 'partner-idp')),
        change: () => writeFileSync(join(directory, 'idp-jwks.json'), readJwks('hospital-idp')),
        inForce: ({ issuers }) => issuers().map(({ keys }) => keys.keys.size),
      }),
    values: [[2], [1]],
  },
  revocations: {
    title: 'a revocation',
    open: (directory: string) =>
      openCredential(directory, 2, {
        reset: () => writeFileSync(join(directory, 'revocations.json'), '{"version":1,"entries":[]}'),
        change: () =>
          writeFileSync(join(directory, 'revocations.json'), '{"version":1,"entries":[{"txn":"one"}]}'),
        inForce: ({ revocations }) => revocations().txn.size,
      }),
    values: [0, 1],
  },
  certificates: { title: 'a client CA that is taken away', open: openCertificates, values: [2, 1] },
} as const

describe('app: what is followed, when a system call fails', () => {
  for (const [name, { title, open, values }] of Object.entries(what)) {
    for (const code of errnos) {
      it(`takes up ${title} at the next look, whichever call fails with ${code}`, async () => {
        const directory = temporaryDirectory()
        await using followed = await open(directory)
        const { poller, reset, change, inForce, events } = followed
        using failing = failCallsUnder(directory)
        change()
        failing.arm()
        await poller.refresh()
        const all = failing.calls()
        expect(all.length).to.be.greaterThan(3)
        for (const place of all.keys()) {
          failing.arm()
          reset()
          await poller.refresh()
          expect([inForce(), poller.standing]).to.deep.equal([values[0], []])
          change()
          failing.arm(place + 1, code)
          await poller.refresh()
          expect(inForce(), all[place]).to.deep.equal(values[0])
          expect(poller.standing.map(({ kind }) => kind)).to.deep.equal(['failed'])
          expect(poller.problems.join()).to.contain(code)
          await poller.refresh()
          expect([inForce(), poller.standing]).to.deep.equal([values[1], []])
        }
        const kinds = events.flatMap((event) => ('what' in event && event.what === name ? [event.kind] : []))
        expect(kinds.filter((kind) => kind === 'source_failed')).to.have.length(all.length)
        expect(kinds.filter((kind) => kind === 'source_recovered')).to.have.length(all.length)
        expect(kinds).to.not.include('source_refused')
      })
    }

    it(`keeps what is in force while its path is gone: ${title}`, async () => {
      const directory = temporaryDirectory()
      await using followed = await open(directory)
      const { poller, change, inForce } = followed
      using failing = failCallsUnder(directory)
      failing.failAll('ENOENT', /active|idp-jwks|revocations|ca\.crt/)
      change()
      for (let look = 0; look < 2; look++) {
        await poller.refresh()
        expect(inForce()).to.deep.equal(values[0])
        expect(poller.standing.map(({ kind }) => kind)).to.deep.equal(['failed'])
      }
      failing.arm()
      await poller.refresh()
      expect([inForce(), poller.standing]).to.deep.equal([values[1], []])
    })
  }
})

function contextFor(events: Event[]): StartContext {
  return {
    closing: [],
    followed: [],
    report: (event) => events.push(event),
    pollMs: 3_600_000,
    openFeed: openNoFeed,
  }
}

type Change = {
  readonly reset: () => void
  readonly change: () => void
  readonly inForce: (credentials: Awaited<ReturnType<typeof openCredentials>>) => unknown
}

async function openCredential(
  directory: string,
  place: number,
  { reset, change, inForce }: Change,
): Promise<Followed> {
  mkdirSync(join(directory, 'keys'))
  writeFileSync(join(directory, 'keys/active.jwk.json'), readKey('chain'))
  writeFileSync(join(directory, 'idp-jwks.json'), readJwks('hospital-idp'))
  writeFileSync(join(directory, 'revocations.json'), '{"version":1,"entries":[]}')
  reset()
  const events: Event[] = []
  const context = contextFor(events)
  const credentials = await openCredentials(configIn(directory), context)
  const poller = context.followed[place]
  if (poller === undefined) throw new TypeError('expected it to be followed')
  return { poller, reset, change, inForce: () => inForce(credentials), events, ...closing(context) }
}

async function openCertificates(directory: string): Promise<Followed> {
  const [first, second] = ['first', 'second'].map((name) =>
    createCa(join(directory, name), 'hospital.example'),
  )
  const files = first?.issue('server', ['spiffe://hospital.example/ns/x/sa/server'])
  if (first === undefined || second === undefined || files === undefined)
    throw new TypeError('no certificates')
  const clientCa = join(directory, 'ca.crt')
  const [one, other] = [first, second].map(({ trustedCa }) => readFileSync(trustedCa, 'utf8'))
  const reset = () => writeFileSync(clientCa, `${one}${other}`)
  reset()
  const events: Event[] = []
  const context = contextFor(events)
  const place = {
    key: 'listeners.0.tls',
    listener: '127.0.0.1:9191',
    files: { cert: files.chain, key: files.key, clientCa },
    trustDomain: good(parseTrustDomain('hospital.example')),
  }
  const { source, followed } = await followCertificates(place, context.report, context.pollMs)
  context.closing.push(followed)
  return {
    poller: followed.poller,
    reset,
    change: () => writeFileSync(clientCa, one ?? ''),
    inForce: () => source.current().clientCa?.toString().split('BEGIN CERTIFICATE').slice(1).length,
    events,
    ...closing(context),
  }
}

function closing(context: StartContext): AsyncDisposable {
  return {
    async [Symbol.asyncDispose]() {
      for (const part of context.closing) await part[Symbol.asyncDispose]()
    },
  }
}

function configIn(directory: string): Config {
  const config = parseConfig(join(directory, 'waywarden.yaml'), settings, new Map())
  if (isProblems(config)) throw new TypeError(JSON.stringify(config.problems))
  return config
}
