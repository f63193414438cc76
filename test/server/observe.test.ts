import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { readRecords } from '../../src/audit/read/query.ts'
import type { Config } from '../../src/config/config.ts'
import { decodeCheckResponse } from '../support/check-request.ts'
import { uris } from '../support/hospital.ts'
import { chainNow, type RunningApp, startTestApp, tokenNow } from '../support/running-app.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const dayMs = 86_400_000

function observing(services?: readonly string[], untilMs = Date.now() + dayMs) {
  return (config: Config): Config => ({ ...config, observe: { untilMs, services } })
}

async function outcomes({ directory }: RunningApp): Promise<readonly string[]> {
  const found: string[] = []
  for await (const line of readRecords([join(directory, 'audit')])) {
    if (line.kind === 'record') found.push(`${line.record.outcome} ${line.record.code ?? ''}`.trim())
  }
  return found
}

const record = { path: '/patients/42', destinationAddress: '10.96.0.11:8080' }
const held = () => ({ headers: { 'actor-chain': chainNow() } })

describe('app, observing', () => {
  it('passes on what it would refuse, and records the code', async () => {
    await using running = await startTestApp(temporaryDirectory(), observing())
    const response = await running.ask({ ...record, ...held() })
    expect(response).to.deep.include({ status: 0, kind: 'ok' })
    expect(response.metadata).to.include({ outcome: 'observed', code: 'policy_denied' })
    expect(await outcomes(running)).to.deep.equal(['observed policy_denied'])
  })

  it('passes on even what it cannot read', async () => {
    await using running = await startTestApp(temporaryDirectory(), observing())
    expect(decodeCheckResponse(await running.client.check(Buffer.from([0xff])))).to.include({ status: 0 })
    expect(await outcomes(running)).to.deep.equal(['observed request_malformed'])
  })

  it('hands a proven chain on though its call would be refused, so that the next hop is observed with it', async () => {
    await using running = await startTestApp(temporaryDirectory(), observing())
    const task = { method: 'POST', path: '/tasks', destinationAddress: '10.96.0.3:8080' }
    const response = await running.ask({ ...task, ...held() })
    expect(response.metadata).to.include({ code: 'policy_denied' })
    expect(response.setHeaders).to.have.property('actor-chain')
  })

  it('strips a chain that is not proven, and mints nothing from it', async () => {
    await using running = await startTestApp(temporaryDirectory(), observing())
    for (const chain of ['x.y.z', chainNow({ aud: uris.agentA })]) {
      const response = await running.ask({ headers: { 'actor-chain': chain } })
      expect(response).to.deep.include({ status: 0, setHeaders: {}, removeHeaders: ['actor-chain'] })
    }
  })

  it("leaves the user's token where agents may still need it", async () => {
    await using running = await startTestApp(temporaryDirectory(), observing())
    const task = { method: 'POST', path: '/tasks', destinationAddress: '10.96.0.4:8080', peer: uris.gateway }
    const response = await running.ask({ ...task, headers: { authorization: `Bearer ${tokenNow()}` } })
    expect(response.setHeaders).to.have.property('actor-chain')
    expect(response.removeHeaders).to.deep.equal([])
  })

  it('can be for some services: the others, and unknown ones, are enforced', async () => {
    await using running = await startTestApp(temporaryDirectory(), observing(['patient-records']))
    expect(await running.ask({ ...record, ...held() })).to.include({ status: 0 })
    expect(await running.ask({ ...record, path: '/admin', ...held() })).to.include({ status: 0 })
    expect(await running.ask({ ...record, headers: { 'actor-chain': 'x.y.z' } })).to.include({ status: 0 })
    expect(await running.ask({ ...record, xfcc: 'By=-;URI=-' })).to.include({ status: 0 })
    expect(await running.ask({ path: '/admin', ...held() })).to.include({ status: 7 })
    expect(await running.ask({ ...record, destinationAddress: '10.1.1.1:80', ...held() })).to.include({
      status: 7,
    })
  })

  it('enforces when the day has come', async () => {
    await using running = await startTestApp(temporaryDirectory(), observing(undefined, Date.now() - 1))
    expect(await running.ask({ ...record, ...held() })).to.include({ status: 7 })
  })

  it('says so loudly', async () => {
    await using running = await startTestApp(temporaryDirectory(), observing(['patient-records', 'nobody']))
    const { notices } = JSON.parse(await (await fetch(`http://${running.app.addresses.admin}/readyz`)).text())
    expect(notices.join('\n'))
      .to.match(/NOT ENFORCED until \d{4}-\d\d-\d\d: patient-records, nobody/)
      .and.match(/no service `nobody`/)
    await running.ask({ ...record, ...held() })
    const metrics = await (await fetch(`http://${running.app.addresses.admin}/metrics`)).text()
    expect(metrics).to.match(/waywarden_checks_total\{outcome="observed",code="policy_denied"\} 1/)
  })

  it('needs no catalog to begin with: every status stays, every request leaves a record', async () => {
    const directory = temporaryDirectory()
    await mkdir(join(directory, 'empty'))
    await writeFile(join(directory, 'empty/services.yaml'), 'services: []\n')
    const onEmpty = (config: Config): Config =>
      observing()({ ...config, policy: { ...config.policy, directory: join(directory, 'empty') } })
    await using running = await startTestApp(directory, onEmpty)
    for (const request of [record, held(), { headers: {} }])
      expect(await running.ask(request)).to.include({ status: 0 })
    expect(await outcomes(running)).to.deep.equal(Array.from({ length: 3 }, () => 'observed service_unknown'))
  })

  it('goes on when records cannot be written, for it enforces nothing', async () => {
    await using running = await startTestApp(temporaryDirectory(), observing())
    const audit = join(running.directory, 'audit')
    await rm(audit, { recursive: true })
    await writeFile(audit, '')
    const metrics = `http://${running.app.addresses.admin}/metrics`
    // The log looks now and then whether its file still has its name.
    do expect(await running.ask({ ...record, ...held() })).to.include({ status: 0 })
    while (!(await (await fetch(metrics)).text()).includes('waywarden_faults_total{where="audit"}'))
    expect(await (await fetch(`http://${running.app.addresses.admin}/readyz`)).text()).to.match(
      /"ready":true/,
    )
    await rm(audit)
  })
})
