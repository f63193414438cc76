import { expect } from 'chai'
import { findClientProblem, readClient } from '../../../src/decision/identity/token-client.ts'
import type { JsonValue } from '../../../src/decision/jws/json.ts'

const claims = ['azp', 'client_id', 'cid', 'appid'] as const
const read = (values: Readonly<Record<string, JsonValue>>) => readClient(new Map(Object.entries(values)))

describe('decision/identity/token-client', () => {
  for (const claim of claims) {
    it(`reads the client from \`${claim}\``, () => {
      expect(read({ [claim]: 'ui', other: 'x' })).to.deep.equal({ kind: 'client', id: 'ui' })
    })

    for (const value of ['', null, 7, true, ['ui'], new Map()]) {
      it(`names \`${claim}\` when it is ${JSON.stringify(value)}, whatever the others say`, () => {
        const others = Object.fromEntries(claims.map((other) => [other, 'ui']))
        for (const refused of [read({ [claim]: value }), read({ ...others, [claim]: value })]) {
          expect(refused).to.have.property('kind', 'invalid')
          expect(refused).to.have.property('reason').that.includes(`\`${claim}\``)
        }
      })
    }

    for (const other of claims.filter((each) => each !== claim)) {
      it(`refuses a \`${claim}\` that differs from \`${other}\`, and names both`, () => {
        const refused = read({ [claim]: 'ui', [other]: 'agent' })
        expect(refused).to.have.property('kind', 'invalid')
        expect(refused).to.have.property('reason').that.includes(`\`${claim}\``).and.includes(`\`${other}\``)
      })

      it(`takes a \`${claim}\` that equals \`${other}\``, () => {
        expect(read({ [claim]: 'ui', [other]: 'ui' })).to.deep.equal({ kind: 'client', id: 'ui' })
      })
    }
  }

  it('compares letter by letter', () => {
    expect(read({ azp: 'ui', client_id: 'UI' })).to.have.property('kind', 'invalid')
  })

  it('refuses a token that names no client', () =>
    expect(read({ sub: 'clerk' })).to.have.property('kind', 'invalid'))

  const accepted: readonly { readonly clients: readonly string[] | 'any'; readonly isAccepted: boolean }[] = [
    { clients: 'any', isAccepted: true },
    { clients: [], isAccepted: false },
    { clients: ['other', 'ui'], isAccepted: true },
    { clients: ['other'], isAccepted: false },
    { clients: ['UI', 'ui '], isAccepted: false },
  ]
  for (const { clients, isAccepted } of accepted) {
    it(`${isAccepted ? 'accepts' : 'refuses'} the client \`ui\` where [${clients}] are listed`, () => {
      expect(findClientProblem({ kind: 'client', id: 'ui' }, clients) === undefined).to.equal(isAccepted)
    })
  }
})
