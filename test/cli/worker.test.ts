import { expect } from 'chai'
import { run } from '../support/terminal.ts'

describe('cli/worker', () => {
  it('decides for nobody who has not started it', async () => {
    const { code, err } = await run(['worker', '1'])
    expect(code).to.equal(2)
    expect(err).to.include('`workers`')
  })

  it('is no command for people', async () => {
    expect((await run(['--help'])).out).to.not.match(/^\s*worker\b/m)
  })
})
