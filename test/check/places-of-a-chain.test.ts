import { expect } from 'chai'
import type { Findings } from '../../src/check/line.ts'
import { deny, isDeny } from '../../src/model/decision.ts'
import { act, uris } from '../support/hospital.ts'
import {
  agents,
  ask,
  chainAfter,
  codeOf,
  createLine,
  except,
  placeNamed,
  userToken,
} from '../support/places.ts'

const other = 'spiffe://hospital.example/ns/hospital/sa/other-waypoint'
const [one = '', two = '', three = ''] = agents

/** What the child says that was minted. */
function claimsOf({ onward }: Findings) {
  const [, claims = ''] = (onward?.token ?? '').split('.')
  return onward === undefined ? undefined : JSON.parse(Buffer.from(claims, 'base64url').toString())
}

describe('each rule about a chain, at each place', () => {
  describe('a required scope', () => {
    for (const [scopes, want] of [
      ['records:read', 'allow'],
      ['other records:read', 'allow'],
      ['records:read other', 'allow'],
      ['records:read-all', 'scope_missing'],
      ['records:rea', 'scope_missing'],
      ['records', 'scope_missing'],
      ['Records:read', 'scope_missing'],
      ['other', 'scope_missing'],
    ] as const) {
      it(`is ${want === 'allow' ? 'there' : 'missing'} where a chain has ${scopes}`, async () => {
        const chain = chainAfter(two, [one], { scope: scopes })
        const line = createLine()
        expect(
          codeOf(await line({ caller: two, to: 'last', path: '/scoped', headers: { 'actor-chain': chain } })),
        ).to.equal(want)
      })

      it(`is ${want === 'allow' ? 'there' : 'missing'} where a user's token has ${scopes}`, async () => {
        const headers = { authorization: `Bearer ${userToken({ scope: scopes })}` }
        const line = createLine()
        expect(codeOf(await line({ caller: uris.gateway, to: 'entry', path: '/scoped', headers }))).to.equal(
          want,
        )
      })
    }

    it('is missing where there is no chain', async () => {
      const line = createLine()
      const asking = { caller: uris.agentA, to: 'onward', path: '/scoped', headers: {} }
      expect(codeOf(await line(asking))).to.equal('scope_missing')
    })
  })

  describe('where a chain may begin', () => {
    it('is a service that is an entry', async () => {
      const place = placeNamed('the first hop')
      for (const to of ['onward', 'last'])
        expect(codeOf(await ask({}, place, { to }))).to.equal('chain_missing')
    })

    for (const { name, caller, want } of [
      { name: 'the first that the service names', caller: uris.agentA, want: 'allow' },
      { name: 'the second that it names', caller: uris.agentR, want: 'allow' },
      { name: 'one that it does not name', caller: uris.agentD, want: 'chain_missing' },
    ]) {
      it(`${want === 'allow' ? 'may be missing' : 'may not be missing'} for ${name}`, async () => {
        expect(codeOf(await createLine()({ caller, to: 'onward', headers: {} }))).to.equal(want)
      })
    }

    it('may not be missing at a service that names nobody', async () => {
      expect(codeOf(await createLine()({ caller: uris.agentA, to: 'last', headers: {} }))).to.equal(
        'chain_missing',
      )
    })
  })

  describe('the chain of the next hop', () => {
    const place = placeNamed('the second agent')
    const scoped = { 'actor-chain': chainAfter(two, [one], { scope: 'records:read tasks:write x' }) }
    for (const { name, scopes, want } of [
      {
        name: 'keeps all scopes where the callee lists none',
        scopes: undefined,
        want: 'records:read tasks:write x',
      },
      { name: 'keeps none where it lists no scope', scopes: [], want: undefined },
      { name: 'keeps the first that it lists', scopes: ['records:read', 'y'], want: 'records:read' },
      { name: 'keeps the second that it lists', scopes: ['y', 'tasks:write'], want: 'tasks:write' },
      {
        name: 'keeps none that only begins like one',
        scopes: ['records:r', 'tasks:write-all'],
        want: undefined,
      },
    ]) {
      it(name, async () => {
        const services = { onward: scopes === undefined ? {} : { scopes } }
        const found = await ask({ services }, place, { headers: scoped })
        expect(claimsOf(found)?.scope).to.equal(want)
      })
    }

    it('says that it was found again, and goes on to say so', async () => {
      const found = placeNamed('a chain that was found again')
      expect(claimsOf(await ask({}, found))).to.include({ recovered: true })
      const next = { 'actor-chain': chainAfter(two, [one], { recovered: true } as object) }
      expect(claimsOf(await ask({}, place, { headers: next }))).to.include({ recovered: true })
      expect(claimsOf(await ask({}, place))).to.not.have.property('recovered')
    })

    it('names everyone who acted, the caller as the latest', async () => {
      const four = placeNamed('the fourth agent')
      expect(claimsOf(await ask({}, four)).act).to.deep.equal(JSON.parse(JSON.stringify(act(...four.acting))))
    })
  })

  describe('a chain that cannot be extended', () => {
    const place = placeNamed('the second agent')
    const tooDeep = () => deny('chain_too_deep', '')
    it('is refused, though its call is permitted', async () => {
      const found = await ask({ deps: { extendChain: tooDeep } }, place)
      expect(codeOf(found)).to.equal('chain_too_deep')
      expect(found.onward).to.equal(undefined)
    })

    it('leaves the refusal of policies as it is while observing', async () => {
      const deps = { extendChain: tooDeep, isObserving: () => true }
      const forbidden = 'forbid (principal, action, resource);'
      expect(codeOf(await ask({ deps, policies: except(forbidden) }, place))).to.equal('policy_denied')
    })
  })

  describe('while observing', () => {
    const isObserving = (service: string | undefined) => service === 'onward'
    const place = placeNamed('the second agent')
    const overflow = '9223372036854775807 + context.chain.depth > 0'
    for (const { name, world, asking, code, goesOn } of [
      {
        name: 'policies',
        world: { policies: except('forbid (principal, action, resource);') },
        code: 'policy_denied',
        goesOn: true,
      },
      {
        name: 'policies of a service that is not observed',
        world: {
          policies: except('forbid (principal, action, resource);'),
          deps: { isObserving: (service: string | undefined) => service === 'last' },
        },
        code: 'policy_denied',
        goesOn: false,
      },
      {
        name: 'a forbid that cannot be evaluated',
        world: { policies: except(`forbid (principal, action, resource) when { ${overflow} };`) },
        code: 'policy_error',
        goesOn: false,
      },
      { name: 'a missing scope', asking: { path: '/scoped' }, code: 'scope_missing', goesOn: false },
      { name: 'an ambiguous path', asking: { path: '/a//b' }, code: 'path_ambiguous', goesOn: false },
    ] as const) {
      it(`a chain ${goesOn ? 'goes on' : 'does not go on'} past what ${name} refuse${goesOn ? '' : 's'}`, async () => {
        const deps = { isObserving }
        const found = await ask({ deps, ...world }, place, asking)
        expect(codeOf(found)).to.equal(code)
        expect(found.onward !== undefined).to.equal(goesOn)
      })
    }
  })

  describe('what is found out', () => {
    const place = placeNamed('the second agent')
    for (const { name, world, asking, code, known } of [
      { name: 'a service that is not there', asking: { to: 'nowhere' }, code: 'service_unknown', known: [] },
      {
        name: 'a caller of another trust domain',
        asking: { caller: 'spiffe://a/b' },
        code: 'peer_malformed',
        known: ['service'],
      },
      {
        name: 'a strange waypoint',
        asking: { waypoint: other },
        code: 'waypoint_unknown',
        known: ['service', 'caller'],
      },
      {
        name: 'a chain of somebody else',
        asking: { caller: three },
        code: 'chain_not_yours',
        known: ['service', 'caller'],
      },
      {
        name: 'an ambiguous path',
        asking: { path: '/a//b' },
        code: 'path_ambiguous',
        known: ['service', 'caller', 'chain'],
      },
      {
        name: 'what policies refuse',
        world: { policies: except('forbid (principal, action, resource);') },
        code: 'policy_denied',
        known: ['service', 'caller', 'chain', 'target'],
      },
    ] as const) {
      it(`stands in the record of ${name}`, async () => {
        const { decision, ...found } = await ask(world ?? {}, place, asking)
        expect(isDeny(decision) && decision.code).to.equal(code)
        expect(Object.keys(found)).to.have.members([...known])
      })
    }
  })

  it('shed a caller before its chain is looked at, and after it is known', async () => {
    const place = placeNamed('the second agent')
    const asked: string[] = []
    const deps = {
      admission: {
        admit: ({ uri }: { uri: string }) => {
          asked.push(uri)
          return deny('overloaded', '')
        },
      },
      verifyChain: () => expect.fail('verified'),
    }
    const found = await ask({ deps }, place)
    expect(codeOf(found)).to.equal('overloaded')
    expect(Object.keys(found)).to.have.members(['decision', 'caller', 'service'])
    expect(asked).to.deep.equal([place.caller])
    // Nobody is shed in the name of a caller that is not proven.
    await ask({ deps }, place, { waypoint: other })
    expect(asked).to.have.length(1)
  })
})
