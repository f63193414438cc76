import { expect } from 'chai'
import { findKindProblem } from '../../src/identity/token-kind.ts'
import type { JsonValue } from '../../src/jws/json.ts'

describe('identity/token-kind', () => {
  const table: readonly {
    readonly name: string
    readonly claims: Readonly<Record<string, JsonValue>>
    readonly isUsers: boolean
  }[] = [
    { name: "a user's access token", claims: { sub: 'clerk', azp: 'ui' }, isUsers: true },
    { name: 'one that says so', claims: { sub: 'clerk', azp: 'ui', typ: 'Bearer' }, isUsers: true },
    { name: 'an offline token', claims: { sub: 'clerk', azp: 'ui', typ: 'Offline' }, isUsers: false },
    { name: 'an ID token', claims: { sub: 'clerk', azp: 'ui', nonce: 'n' }, isUsers: false },
    { name: 'a token of no client', claims: { sub: 'clerk' }, isUsers: false },
    { name: 'a token of another client', claims: { sub: 'clerk', azp: 'other' }, isUsers: false },
    { name: "a client's own token", claims: { sub: 'ui', azp: 'ui' }, isUsers: false },
    {
      name: "a service account's token",
      claims: { sub: 'f3b5', azp: 'ui', preferred_username: 'service-account-ui' },
      isUsers: false,
    },
    { name: 'a delegated token', claims: { sub: 'clerk', azp: 'ui', act: new Map() }, isUsers: false },
    { name: 'a bound token', claims: { sub: 'clerk', azp: 'ui', cnf: new Map() }, isUsers: false },
  ]
  for (const { name, claims, isUsers } of table) {
    it(`${isUsers ? 'finds nothing wrong with' : 'refuses'} ${name}`, () => {
      expect(findKindProblem(new Map(Object.entries(claims)), { clients: ['ui'] }) === undefined).to.equal(
        isUsers,
      )
    })
  }
})
