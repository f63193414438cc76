import { expect } from 'chai'
import { createCedar } from '../../../src/policy/cedar/cedar.ts'
import { type CedarCall, createEngine } from '../../../src/policy/cedar/engine.ts'
import type { Slice } from '../../../src/policy/cedar/slices.ts'

const schema = 'entity A; action "go" appliesTo {principal: [A], resource: [A], context: {n?: Long}};'
const slice = toSlice('one', 'permit (principal == A::"yes", action, resource);')
const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

function toSlice(id: string, text: string): Slice {
  const answer = createCedar().policyToJson(text)
  if (answer.type === 'failure') throw new TypeError(text)
  return { key: id, policies: [{ id, file: 'a.cedar', line: 1, text, json: answer.json, annotations: {} }] }
}

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

describe('policy/cedar/engine', () => {
  it('answers with the determining policies', () => {
    const engine = createEngine(schema)
    const answered = { kind: 'answered', errors: [] }
    expect(engine.evaluate(call('yes'), slice)).to.deep.equal({
      ...answered,
      isAllowed: true,
      determiningPolicies: ['one'],
    })
    expect(engine.evaluate(call('no'), slice)).to.deep.equal({
      ...answered,
      isAllowed: false,
      determiningPolicies: [],
    })
    expect(engine.version).to.match(/^cedar-wasm \d/)
  })

  it('says `refused` when Cedar does not take the call', () => {
    expect(createEngine(schema).evaluate(call('yes', { n: 1.5 }), slice)).to.have.property('kind', 'refused')
  })

  it('denies the call that makes an instance throw, and answers the next one from the spare', async () => {
    const engine = createEngine(schema)
    for (let round = 0; round < 3; round++) {
      expect(engine.evaluate(call('\ud800'), slice)).to.have.property('kind', 'unavailable')
      expect(engine.evaluate(call('yes'), slice)).to.have.property('isAllowed', true)
      await nextTurn()
    }
  })

  it('is not ready when both instances have thrown, until there is a new one', async () => {
    const engine = createEngine(schema)
    engine.evaluate(call('\ud800'), slice)
    engine.evaluate(call('\ud800'), slice)
    expect(engine.isReady()).to.equal(false)
    expect(engine.evaluate(call('yes'), slice)).to.have.property('kind', 'unavailable')
    await nextTurn()
    expect(engine.isReady()).to.equal(true)
    expect(engine.evaluate(call('yes'), slice)).to.have.property('isAllowed', true)
  })

  it('keeps slices apart, though the call is the same', () => {
    const engine = createEngine(schema)
    const nobody = toSlice('nobody', 'forbid (principal, action, resource);')
    expect(engine.evaluate(call('yes'), slice)).to.have.property('isAllowed', true)
    expect(engine.evaluate(call('yes'), nobody)).to.have.property('isAllowed', false)
    expect(engine.evaluate(call('yes'), slice)).to.have.property('isAllowed', true)
  })
})
