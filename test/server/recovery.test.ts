import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import type { DecisionRecord } from '../../src/audit/format/record.ts'
import { readRecords } from '../../src/audit/read/query.ts'
import type { Config } from '../../src/config/config.ts'
import { type ChainClaims, uris } from '../support/hospital.ts'
import { chainNow, type RunningApp, startTestApp, tokenNow, writeTestFiles } from '../support/running-app.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { stepWallClock } from '../support/wall-clock.ts'

const recovery = { trace: false, headers: ['mcp-session-id'], maxChains: 100 }
const session = (id: string) => ({ 'mcp-session-id': id })

/** Starts with recovery, so long ago by the wall clock that no chain of before is left. */
async function startWithRecovery(
  overlay: (config: Config) => Config = (config) => config,
  startedAgoMs = 3_600_000,
  directory = temporaryDirectory(),
): Promise<RunningApp> {
  using _before = stepWallClock(-startedAgoMs)
  return await startTestApp(directory, (config) => overlay({ ...config, recovery }))
}

/** The clerk's chain as agent A holds it, to whom the gateway gave it. */
function atA(overlay: Partial<ChainClaims> = {}): string {
  return chainNow({ aud: uris.agentA, act: undefined, par_hash: undefined, ...overlay })
}

const askD = { method: 'POST', path: '/tasks', destinationAddress: '10.96.0.2:8080' }

/** A calls D, which is given a chain, under an id. */
function callAgentD(running: RunningApp, id: string, chain = atA()) {
  return running.ask({ ...askD, peer: uris.agentA, headers: { ...session(id), 'actor-chain': chain } })
}

/** D calls the insurance and has lost the header. */
function callInsurance(running: RunningApp, id: string) {
  return running.ask({ headers: session(id) })
}

async function lastRecord({ directory }: RunningApp): Promise<DecisionRecord | undefined> {
  let last: DecisionRecord | undefined
  for await (const line of readRecords([join(directory, 'audit')]))
    if (line.kind === 'record') last = line.record
  return last
}

describe('app, recovery of chains', () => {
  it('finds the chain that its callee has lost, and marks it', async () => {
    await using running = await startWithRecovery()
    expect(await callAgentD(running, 's-1')).to.include({ kind: 'ok' })
    expect(await callInsurance(running, 's-1')).to.include({ kind: 'ok', status: 0 })
    expect((await lastRecord(running))?.chain).to.deep.include({ kind: 'delegated', recovered: true })
  })

  it('keeps the mark in the chain of the next hop', async () => {
    // While observing, a chain is handed on whatever policies say.
    await using running = await startWithRecovery((config) => ({
      ...config,
      observe: { untilMs: Date.now() + 86_400_000, services: ['insurance-agent'] },
    }))
    await callAgentD(running, 's-1')
    const { setHeaders } = await running.ask({ ...askD, headers: session('s-1') })
    const [, claims = ''] = (setHeaders['actor-chain'] ?? '').split('.')
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).to.include({ recovered: true })
  })

  it('finds nothing under another id, and nothing for another workload', async () => {
    await using running = await startWithRecovery()
    await callAgentD(running, 's-1')
    expect((await callInsurance(running, 's-2')).body).to.include({ code: 'chain_missing' })
    const asR = await running.ask({ peer: uris.agentR, headers: session('s-1') })
    expect(asR.body).to.include({ code: 'chain_missing' })
  })

  it('is in doubt between the work of two users', async () => {
    await using running = await startWithRecovery()
    await callAgentD(running, 's-1')
    await callAgentD(running, 's-1', atA({ txn: 'other' }))
    expect((await callInsurance(running, 's-1')).body).to.include({ code: 'chain_missing' })
    expect((await lastRecord(running))?.reason).to.include('could mean several')
  })

  it('keeps nothing of what it refuses', async () => {
    await using running = await startWithRecovery()
    expect(await callAgentD(running, 's-1', atA({ txn: 'revoked' }))).to.include({ kind: 'denied' })
    expect((await callInsurance(running, 's-1')).body).to.include({ code: 'chain_missing' })
    expect((await lastRecord(running))?.reason).to.not.include('could mean')
  })

  it('is in doubt between a chain and work that came without one', async () => {
    const directory = temporaryDirectory()
    await writeTestFiles(directory)
    const services = join(directory, 'policies/services.yaml')
    const text = await readFile(services, 'utf8')
    await writeFile(
      services,
      text.replace(
        '  - name: insurance-agent\n',
        `  - name: insurance-agent\n    chainless: [${uris.agentR}]\n`,
      ),
    )
    await writeFile(
      join(directory, 'policies/billing-team/night.cedar'),
      `permit (principal == Autonomous::"${uris.agentR}", action, resource in Service::"insurance-agent");\n`,
    )
    await using running = await startWithRecovery(undefined, undefined, directory)
    await callAgentD(running, 's-1')
    expect(await running.ask({ ...askD, peer: uris.agentR, headers: session('s-1') })).to.include({
      kind: 'ok',
    })
    expect((await callInsurance(running, 's-1')).body).to.include({ code: 'chain_missing' })
  })

  it('is in doubt about every id for one hopLifetime after the start, and says until when', async () => {
    await using running = await startWithRecovery(undefined, 0)
    await callAgentD(running, 's-1')
    expect((await callInsurance(running, 's-1')).body).to.include({ code: 'chain_missing' })
    expect((await lastRecord(running))?.reason).to.include('before the start')
    const readyz = await (await fetch(`http://${running.app.addresses.admin}/readyz`)).text()
    expect(readyz).to.match(/recovery: .* until \d{4}-/)
  })

  it('removes an id that two readers could read differently', async () => {
    await using running = await startWithRecovery()
    const task = { method: 'POST', path: '/tasks', destinationAddress: '10.96.0.4:8080', peer: uris.gateway }
    const headers = { authorization: `Bearer ${tokenNow()}`, 'mcp-session-id': 'one,two' }
    expect((await running.ask({ ...task, headers })).removeHeaders).to.include('mcp-session-id')
  })
})
