import { expect } from 'chai'
import { isDeny } from '../../../src/base/model/decision.ts'
import type { Config } from '../../../src/config/config.ts'
import type { Verdict } from '../../../src/decision/check/verdict.ts'
import { act, chainClaims, nowMs, uris } from '../../support/hospital.ts'
import {
  agents,
  ask,
  chainAfter,
  codeOf,
  createDecider,
  except,
  placeNamed,
  userToken,
} from '../../support/places.ts'

const other = 'spiffe://hospital.example/ns/hospital/sa/other-waypoint'
const [one = '', two = '', three = ''] = agents

/** The claims of the minted child. */
function claimsOf({ onward }: Verdict) {
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
      it(`is ${want === 'allow' ? 'there' : 'missing'} where a chain has ${scopes}`, () => {
        const chain = chainAfter(two, [one], { scope: scopes })
        const decide = createDecider()
        expect(
          codeOf(decide({ caller: two, to: 'last', path: '/scoped', headers: { 'actor-chain': chain } })),
        ).to.equal(want)
      })

      it(`is ${want === 'allow' ? 'there' : 'missing'} where a user's token has ${scopes}`, () => {
        const headers = { authorization: `Bearer ${userToken({ scope: scopes })}` }
        const decide = createDecider()
        expect(codeOf(decide({ caller: uris.gateway, to: 'entry', path: '/scoped', headers }))).to.equal(want)
      })
    }

    it('is missing where there is no chain', () => {
      const decide = createDecider()
      const asking = { caller: uris.agentA, to: 'onward', path: '/scoped', headers: {} }
      expect(codeOf(decide(asking))).to.equal('scope_missing')
    })
  })

  describe('where a chain may begin', () => {
    it('is a service that is an entry', () => {
      const place = placeNamed('the first hop')
      for (const to of ['onward', 'last']) expect(codeOf(ask({}, place, { to }))).to.equal('chain_missing')
    })

    for (const { name, caller, want } of [
      { name: 'the first that the service names', caller: uris.agentA, want: 'allow' },
      { name: 'the second that it names', caller: uris.agentR, want: 'allow' },
      { name: 'one that it does not name', caller: uris.agentD, want: 'chain_missing' },
    ]) {
      it(`${want === 'allow' ? 'may be missing' : 'may not be missing'} for ${name}`, () => {
        expect(codeOf(createDecider()({ caller, to: 'onward', headers: {} }))).to.equal(want)
      })
    }

    it('may not be missing at a service that names nobody', () => {
      expect(codeOf(createDecider()({ caller: uris.agentA, to: 'last', headers: {} }))).to.equal(
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
      it(name, () => {
        const services = { onward: scopes === undefined ? {} : { scopes } }
        const found = ask({ services }, place, { headers: scoped })
        expect(claimsOf(found)?.scope).to.equal(want)
      })
    }

    it('says that it was found again, and goes on to say so', () => {
      const found = placeNamed('a chain that was found again')
      expect(claimsOf(ask({}, found))).to.include({ recovered: true })
      const next = { 'actor-chain': chainAfter(two, [one], { recovered: true } as object) }
      expect(claimsOf(ask({}, place, { headers: next }))).to.include({ recovered: true })
      expect(claimsOf(ask({}, place))).to.not.have.property('recovered')
    })

    it('names everyone who acted, the caller as the latest', () => {
      const four = placeNamed('the fourth agent')
      expect(claimsOf(ask({}, four)).act).to.deep.equal(JSON.parse(JSON.stringify(act(...four.acting))))
    })
  })

  describe('a chain that cannot be extended', () => {
    const place = placeNamed('the second agent')
    // Agent two calls itself once more than it may.
    const services = { onward: { spiffeId: two } }
    const tctx = { ...chainClaims.tctx, self: 4 }
    const headers = { 'actor-chain': chainAfter(two, [two, one], { tctx }) }
    it('is refused, though its call is permitted', () => {
      const found = ask({ services }, place, { headers })
      expect(codeOf(found)).to.equal('chain_too_deep')
      expect(found.onward).to.equal(undefined)
    })

    it('leaves the refusal of policies as it is while observing', () => {
      const observed = (given: Config): Config => ({ ...given, observe: observing() })
      const policies = except('forbid (principal, action, resource);')
      const found = ask({ config: observed, services, policies }, place, { headers })
      expect(codeOf(found)).to.equal('policy_denied')
    })
  })

  describe('while observing', () => {
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
          services: { last: { spiffeId: 'spiffe://hospital.example/ns/y/sa/other' } },
          config: (given: Config): Config => ({ ...given, observe: observing('last') }),
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
      it(`a chain ${goesOn ? 'goes on' : 'does not go on'} past what ${name} refuse${goesOn ? '' : 's'}`, () => {
        const config = (given: Config): Config => ({ ...given, observe: observing('onward') })
        const found = ask({ config, ...world }, place, asking)
        expect(codeOf(found)).to.equal(code)
        expect(found.onward !== undefined).to.equal(goesOn)
      })
    }
  })

  describe('what is found out', () => {
    const place = placeNamed('the second agent')
    for (const { name, world, asking, code, known } of [
      {
        name: 'a service that is not there',
        asking: { to: 'nowhere' },
        code: 'service_unknown',
        known: ['caller'],
      },
      {
        name: 'a service that is not there, asked for by a caller of another trust domain',
        asking: { to: 'nowhere', caller: 'spiffe://a/b' },
        code: 'service_unknown',
        known: [],
      },
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
      it(`stands in the record of ${name}`, () => {
        const { kind: _kind, questionKey: _key, decision, ...found } = ask(world ?? {}, place, asking)
        expect(isDeny(decision) && decision.code).to.equal(code)
        const there = Object.entries(found).flatMap(([name, value]) => (value === undefined ? [] : [name]))
        expect(there).to.have.members([...known])
      })
    }
  })
})

/** `observe` for some services, or for all. */
function observing(...services: readonly string[]): Config['observe'] {
  return { untilMs: nowMs + 1, services: services.length === 0 ? undefined : services }
}
