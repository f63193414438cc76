import { expect } from 'chai'
import { type CedarCall, createEngine } from '../../src/revision/engine.ts'

const schema = 'entity A; action "go" appliesTo {principal: [A], resource: [A], context: {n?: Long}};'
const policies = { one: 'permit (principal == A::"yes", action, resource);' }
const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

function call(id: string, context: CedarCall['context'] = {}): CedarCall {
  const resource = { type: 'A', id: 'r' }
  return {
    principal: { type: 'A', id },
    action: { type: 'Action', id: 'go' },
    resource,
    context,
    entities: [],
  }
}

describe('revision/engine', () => {
  it('answers with the determining policies', () => {
    const engine = createEngine(schema, policies)
    const answered = { kind: 'answered', errors: [] }
    expect(engine.evaluate(call('yes'))).to.deep.equal({
      ...answered,
      isAllowed: true,
      determiningPolicies: ['one'],
    })
    expect(engine.evaluate(call('no'))).to.deep.equal({
      ...answered,
      isAllowed: false,
      determiningPolicies: [],
    })
    expect(engine.version).to.match(/^cedar-wasm \d/)
  })

  it('says `refused` when Cedar does not take the call', () => {
    expect(createEngine(schema, policies).evaluate(call('yes', { n: 1.5 }))).to.have.property(
      'kind',
      'refused',
    )
  })

  it('denies the call that makes an instance throw, and answers the next one from the spare', async () => {
    const engine = createEngine(schema, policies)
    for (let round = 0; round < 3; round++) {
      expect(engine.evaluate(call('\ud800'))).to.have.property('kind', 'unavailable')
      expect(engine.evaluate(call('yes'))).to.have.property('isAllowed', true)
      await nextTurn()
    }
  })

  it('is not ready when both instances have thrown, until there is a new one', async () => {
    const engine = createEngine(schema, policies)
    engine.evaluate(call('\ud800'))
    engine.evaluate(call('\ud800'))
    expect(engine.isReady()).to.equal(false)
    expect(engine.evaluate(call('yes'))).to.have.property('kind', 'unavailable')
    await nextTurn()
    expect(engine.isReady()).to.equal(true)
    expect(engine.evaluate(call('yes'))).to.have.property('isAllowed', true)
  })
})
