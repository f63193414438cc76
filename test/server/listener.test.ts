import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Config } from '../../src/config/config.ts'
import { uris } from '../support/hospital.ts'
import { chainNow, startTestApp, tokenNow } from '../support/running-app.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const copies = ['x-first-token', 'x-second-token']
const withIngress = (overlay: Partial<Config['ingress']>) => (config: Config) => ({
  ...config,
  ingress: { ...config.ingress, ...overlay },
})

describe('server/listener', () => {
  for (const { name, overlay, removed, left } of [
    { name: 'takes the user’s token', overlay: {}, removed: ['authorization'], left: copies },
    {
      name: 'takes the user’s token and all its copies',
      overlay: { tokenCopies: copies },
      removed: ['authorization', ...copies],
      left: [],
    },
    {
      name: 'leaves them where agents are to have them',
      overlay: { tokenCopies: copies, forwardAuthorization: true },
      removed: [],
      left: ['authorization', ...copies],
    },
  ]) {
    it(`${name} at the first hop`, async () => {
      await using running = await startTestApp(temporaryDirectory(), withIngress(overlay))
      const token = `Bearer ${tokenNow()}`
      const { status, removeHeaders } = await running.ask({
        method: 'POST',
        path: '/tasks',
        destinationAddress: '10.96.0.4:8080',
        peer: uris.gateway,
        headers: Object.fromEntries(['authorization', ...copies].map((header) => [header, token])),
      })
      expect(status).to.equal(0)
      expect(removeHeaders).to.include.members(removed)
      for (const header of left) expect(removeHeaders).to.not.include(header)
    })
  }

  it('leaves them to the services that keep them, and to no other', async () => {
    const directory = temporaryDirectory()
    const services = join(directory, 'policies/services.yaml')
    cpSync('policies', join(directory, 'policies'), { recursive: true })
    const written = readFileSync(services, 'utf8')
    writeFileSync(services, written.replace('entry: true', 'entry: {forwardAuthorization: true}'))
    await using running = await startTestApp(directory, withIngress({ tokenCopies: copies }))
    const token = `Bearer ${tokenNow()}`
    const ask = (destinationAddress: string) =>
      running.ask({
        method: 'POST',
        path: '/tasks',
        destinationAddress,
        peer: uris.gateway,
        headers: Object.fromEntries(['authorization', ...copies].map((header) => [header, token])),
      })
    const kept = await ask('10.96.0.4:8080')
    expect(kept.status).to.equal(0)
    for (const header of ['authorization', ...copies]) expect(kept.removeHeaders).to.not.include(header)
    const other = await ask('10.96.0.3:8080')
    expect(other.status).to.equal(0)
    expect(other.removeHeaders).to.include.members(['authorization', ...copies])
  })

  it('takes no header of a user’s token from an agent', async () => {
    await using running = await startTestApp(temporaryDirectory(), withIngress({ tokenCopies: copies }))
    const headers = { 'actor-chain': chainNow(), authorization: 'Bearer opaque', 'x-first-token': 'opaque' }
    const { status, removeHeaders } = await running.ask({ headers })
    expect(status).to.equal(0)
    for (const header of ['authorization', ...copies]) expect(removeHeaders).to.not.include(header)
  })

  it('decides within the deadline that is configured, and by no other', async () => {
    await using late = await startTestApp(temporaryDirectory(), (config) => ({ ...config, deadlineMs: 0 }))
    const answer = await late.ask({ headers: { 'actor-chain': chainNow() } })
    expect(answer.body).to.include({ code: 'deadline_exceeded' })
  })
})
