import { expect } from 'chai'
import { isInvalid } from '../../../src/base/model/invalid.ts'
import { parseXfcc } from '../../../src/decision/identity/xfcc.ts'
import { uris } from '../../support/hospital.ts'

const { waypoint, agentD, agentR } = uris

describe('decision/identity/xfcc', () => {
  it('reads the one form that waypoints write', () => {
    const xfcc = parseXfcc(`By=${waypoint};URI=${agentD}`)
    expect(xfcc).to.have.nested.property('by.uri', waypoint)
    expect(xfcc).to.have.nested.property('uri.uri', agentD)
  })

  const refused = [
    { name: 'nothing', value: '' },
    { name: 'no caller', value: `By=${waypoint};URI=-` },
    { name: 'an empty caller', value: `By=${waypoint};URI=` },
    { name: 'no waypoint', value: `By=-;URI=${agentD}` },
    { name: 'two URIs', value: `By=${waypoint};URI=${agentD},${agentR}` },
    { name: 'two elements', value: `By=${waypoint};URI=${agentD},By=${waypoint};URI=${agentR}` },
    { name: 'two URI keys', value: `By=${waypoint};URI=${agentD};URI=${agentR}` },
    { name: 'more keys', value: `By=${waypoint};Hash=00;URI=${agentD}` },
    { name: 'another order', value: `URI=${agentD};By=${waypoint}` },
    { name: 'another case', value: `by=${waypoint};uri=${agentD}` },
    { name: 'quotes', value: `By="${waypoint}";URI="${agentD}"` },
    { name: 'spaces', value: `By=${waypoint}; URI=${agentD}` },
    { name: 'a line feed at the end', value: `By=${waypoint};URI=${agentD}\n` },
    { name: 'another scheme', value: `By=${waypoint};URI=https://hospital.example/ns/a/sa/b` },
    {
      name: 'what is far too long',
      value: `By=${waypoint};URI=spiffe://hospital.example/${'a'.repeat(5000)}`,
    },
  ]
  for (const { name, value } of refused) {
    it(`refuses ${name}`, () => {
      expect(isInvalid(parseXfcc(value))).to.equal(true)
    })
  }

  it('names the keys that it found, and none of their values', () => {
    const reasonOf = (value: string) => {
      const xfcc = parseXfcc(value)
      return isInvalid(xfcc) ? xfcc.reason : undefined
    }
    expect(reasonOf(`Hash=c0ffee;Cert="secret";URI=${agentD}`))
      .to.match(/found `Hash`, `Cert`, `URI`; .*`peer: principal`/)
      .and.not.match(/c0ffee|secret/)
    expect(reasonOf(`URI=${agentD};By=${waypoint}`)).to.match(/found `URI`, `By`$/)
    expect(reasonOf('nothing')).to.match(/URI=<SPIFFE ID>`$/)
  })
})
