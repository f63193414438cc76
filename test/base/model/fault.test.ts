import { expect } from 'chai'
import { describeCause, fault, isAbsent, isErrno, isFault, toFault } from '../../../src/base/model/fault.ts'
import { invalid } from '../../../src/base/model/invalid.ts'

const failure = (code: string) => Object.assign(new Error(`${code}: it failed`), { code })

describe('base/model/fault', () => {
  it('is told from other refusals by its kind', () => {
    expect([isFault(fault('a')), isFault(invalid('a')), isFault({})]).to.deep.equal([true, false, false])
  })

  it('takes ENOENT alone for absence', () => {
    for (const code of ['EMFILE', 'EACCES', 'ENOTDIR', 'ELOOP', 'ESTALE'])
      expect(isAbsent(failure(code))).to.equal(false)
    expect([isAbsent(failure('ENOENT')), isAbsent('ENOENT'), isAbsent(undefined)]).to.deep.equal([
      true,
      false,
      false,
    ])
    expect([isErrno(failure('EEXIST'), 'EEXIST'), isErrno({ code: 'EEXIST' }, 'EEXIST')]).to.deep.equal([
      true,
      false,
    ])
  })

  it('says what was thrown with its causes, and comes to an end', () => {
    const error = new Error('not kept', { cause: new Error('not written', { cause: failure('EIO') }) })
    expect(toFault('state', error)).to.deep.equal(fault('state: not kept: not written: EIO: it failed'))
    expect(describeCause('text')).to.equal('text')
    const endless = new Error('again')
    endless.cause = endless
    expect(describeCause(endless)).to.equal('again: again: again: again')
  })
})
