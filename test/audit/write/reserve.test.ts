import { statSync, symlinkSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { Reserve, reserveFile } from '../../../src/audit/write/reserve.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

const kibibyte = 1024

describe('audit/write/reserve', () => {
  it('takes room on the disk, gives up as much as is needed, and takes it back', () => {
    const directory = temporaryDirectory()
    using reserve = new Reserve(directory, 256 * kibibyte, writeSync)
    const { size, blocks } = statSync(join(directory, reserveFile))
    expect(size).to.equal(256 * kibibyte)
    expect(blocks * 512).to.be.at.least(size)
    expect(reserve.isWhole).to.equal(true)
    expect(reserve.release(1)).to.equal(true)
    expect(statSync(join(directory, reserveFile)).size).to.equal(192 * kibibyte)
    expect(reserve.isWhole).to.equal(false)
    expect(reserve.refill()).to.equal(true)
    expect(statSync(join(directory, reserveFile)).size).to.equal(256 * kibibyte)
  })

  it('has nothing left to give once all is given', () => {
    using reserve = new Reserve(temporaryDirectory(), 64 * kibibyte, writeSync)
    expect([reserve.release(1), reserve.release(1)]).to.deep.equal([true, false])
  })

  it('follows no link', () => {
    const directory = temporaryDirectory()
    const elsewhere = join(directory, 'elsewhere')
    writeFileSync(elsewhere, '')
    symlinkSync(elsewhere, join(directory, reserveFile))
    using reserve = new Reserve(directory, 64 * kibibyte, writeSync)
    expect(reserve.isWhole).to.equal(false)
    expect(statSync(elsewhere).size).to.equal(0)
  })
})
