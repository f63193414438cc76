import { expect } from 'chai'
import { isDeny } from '../../../src/base/model/decision.ts'
import { chainClaims } from '../../support/hospital.ts'
import { ask, codeOf, except, places } from '../../support/places.ts'

/** Waypoints of other services, each nearly the name of the one in front. */
const others = [
  'spiffe://hospital.example/ns/hospital/sa/other-waypoint',
  'spiffe://hospital.example/ns/hospital/sa/waypoint-2',
  'spiffe://hospital.example/ns/clinic/sa/waypoint',
  'spiffe://hospital.example/ns/hospital/sa/Waypoint',
]

describe('each rule of the line, at each place', () => {
  for (const place of places) {
    it(`lets ${place.name} pass, and hands on a chain just where a chain is and one is wanted`, () => {
      const found = ask({}, place)
      expect(codeOf(found)).to.equal('allow')
      const hasChild = place.to !== 'last' && place.name !== 'no chain'
      expect(found.onward !== undefined).to.equal(hasChild)
    })
  }

  describe('the waypoint', () => {
    for (const peer of ['xfcc', 'metadata', 'principal'] as const) {
      for (const place of places) {
        it(`of another service neither vouches nor calls: ${place.name}, ${peer}`, () => {
          for (const waypoint of others) {
            // A waypoint of the mesh it is: another service stands behind it.
            const world = { peer, services: { [place.to === 'last' ? 'entry' : 'last']: { waypoint } } }
            expect(codeOf(ask(world, place))).to.equal('allow')
            expect(codeOf(ask(world, place, { waypoint })), waypoint).to.equal('waypoint_unknown')
            expect(codeOf(ask(world, place, { caller: waypoint })), waypoint).to.equal('peer_conflict')
          }
        })
      }
    }
  })

  describe('revocation', () => {
    for (const place of places) {
      const members = [
        { actor: place.caller },
        ...place.acting.map((actor) => ({ actor })),
        ...(place.name === 'no chain' ? [] : [{ user: 'hospital/clerk' }]),
        ...(place.headers()['actor-chain'] === undefined && place.name !== 'a chain that was found again'
          ? []
          : [{ txn: chainClaims.txn }, { jti: chainClaims.jti }]),
      ]
      for (const member of members) {
        it(`meets ${JSON.stringify(member)}: ${place.name}`, () => {
          expect(codeOf(ask({ revoked: [member] }, place))).to.equal('chain_revoked')
          // The second entry of the list, too.
          const two = [{ txn: 'somebody else' }, member]
          expect(codeOf(ask({ revoked: two }, place))).to.equal('chain_revoked')
        })
      }

      it(`meets nobody else: ${place.name}`, () => {
        const strangers = [
          { actor: 'spiffe://hospital.example/ns/x/sa/five' },
          { user: 'partner/clerk' },
          { txn: 'x' },
          { jti: 'x' },
        ]
        expect(codeOf(ask({ revoked: strangers }, place))).to.equal('allow')
      })
    }
  })

  describe('policies', () => {
    for (const place of places) {
      const type = place.name === 'no chain' ? 'Autonomous' : 'Agent'
      const principals = [
        ...place.acting.map((id) => `${type}::"${id}"`),
        ...(place.name === 'no chain' ? [] : ['User::"hospital/clerk"']),
      ]
      for (const principal of principals) {
        it(`are asked about ${principal}: ${place.name}`, () => {
          const forbidden = `forbid (principal == ${principal}, action, resource);`
          const { decision } = ask({ policies: except(forbidden) }, place)
          expect(isDeny(decision) && decision.code).to.equal('policy_denied')
          const refusing = decision.results.filter(({ outcome }) => outcome !== 'permit')
          expect(refusing.map(({ principal: { type, id } }) => `${type}::"${id}"`)).to.deep.equal([principal])
        })
      }

      it(`are asked about nobody else, in the order caller, delegators, subject: ${place.name}`, () => {
        const { decision } = ask({}, place)
        expect(decision.results.map(({ principal: { type, id } }) => `${type}::"${id}"`)).to.deep.equal(
          principals,
        )
      })
    }
  })
})
