import { expect } from 'chai'
import { isDeny } from '../src/base/model/decision.ts'
import { decideVector, readVectors } from './support/vector.ts'

describe('vectors', () => {
  for (const vector of readVectors()) {
    it(`${vector.name}: ${vector.want}, for ${vector.why}`, async () => {
      const chain = await decideVector(vector)
      expect(isDeny(chain) ? chain.code : 'accepted').to.equal(vector.want)
      if (vector.wantNamed !== undefined)
        expect(chain).to.have.property('reason').that.includes(`\`${vector.wantNamed}\``)
      if (vector.wantSubject !== undefined)
        expect(chain).to.have.property('subject').that.deep.includes(vector.wantSubject)
    })
  }
})
