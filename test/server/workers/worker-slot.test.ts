import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { expect } from 'chai'
import { createAcceptor } from '../../../src/envoy/acceptor.ts'
import { WorkerSlot } from '../../../src/server/workers/worker-slot.ts'
import { noSharedKeys } from '../../support/no-keys.ts'

describe('server/workers/worker-slot', () => {
  const slots: WorkerSlot[] = []

  afterEach(async () => {
    for (const slot of slots.splice(0)) {
      slot.kill()
      await slot.ended
    }
  })

  const create = (behaviour: string, written: string[] = [], program = 'test/support/fake-worker.mjs') => {
    const slot = new WorkerSlot(1, {
      program,
      file: 'waywarden.yaml',
      text: behaviour,
      keys: noSharedKeys,
      writeOut: (lines) => written.push(String(lines)),
      writeError: () => {},
    })
    slots.push(slot)
    return slot
  }
  const open = async (behaviour: string, written: string[] = []): Promise<WorkerSlot> => {
    const slot = create(behaviour, written)
    expect(await slot.open()).to.equal('opened')
    return slot
  }

  it('tells what its process says, and passes its lines on', async () => {
    const written: string[] = []
    const slot = await open('serves', written)
    expect(slot.shown?.readiness).to.include({ ready: true })
    expect(await slot.measure()).to.equal('metrics of 1')
    slot.drain('SIGTERM')
    expect(await slot.ended).to.deep.equal({ code: 0, how: 'exit code 0' })
    expect(written.join('')).to.equal('opened 1\n')
    expect(slot.shown).to.equal(undefined)
    expect(await slot.measure()).to.equal(undefined)
  })

  it('takes a process that cannot be started for one that has ended', async () => {
    const slot = create('serves', [], 'no path has a \0')
    const end = await slot.open()
    expect(end).to.include({ code: null }).and.to.have.property('how').that.includes('null bytes')
    expect(await slot.ended).to.equal(end)
    expect([slot.isOpen, slot.pid, slot.inspect()]).to.deep.equal([false, undefined, undefined])
  })

  it('finds a process that does not open for two minutes, and says why it was killed', async () => {
    const slot = create('neverOpens')
    const opened = slot.open()
    const looks = Array.from({ length: 61 }, () => slot.inspect())
    expect(looks.slice(0, 60)).to.deep.equal(Array.from({ length: 60 }, () => undefined))
    expect(looks.at(-1)).to.equal('silent')
    slot.kill('it was silent')
    expect(await opened).to.deep.equal({ code: null, how: 'SIGKILL, for it was silent' })
  })

  it('finds a process that is silent for half a minute', async () => {
    const slot = await open('serves')
    const looks = Array.from({ length: 16 }, () => slot.inspect())
    expect(looks.slice(0, 15)).to.deep.equal(Array.from({ length: 15 }, () => undefined))
    expect(looks.at(-1)).to.equal('silent')
    // A sign of life.
    await slot.measure()
    expect(slot.inspect()).to.equal(undefined)
  })

  it('finds a process that cannot decide for those whom it serves, for ten seconds', async () => {
    const slot = await open('cannotDecideForWhomItHolds')
    await using acceptor = await createAcceptor({ address: '127.0.0.1', port: 0 }, (socket) =>
      slot.assign(0, socket),
    )
    const client = connect(acceptor.port, '127.0.0.1')
    while (slot.connections === 0) await wait(5)
    const looks = Array.from({ length: 6 }, () => slot.inspect())
    expect(looks.slice(0, 5)).to.deep.equal(Array.from({ length: 5 }, () => undefined))
    expect(looks.at(-1)).to.equal('unready')
    client.destroy()
  })

  it('finds nothing wrong with one that cannot decide and serves nobody', async () => {
    const slot = await open('cannotDecide')
    expect([slot.isOpen, slot.isReady]).to.deep.equal([true, false])
    for (let look = 0; look < 10; look++) expect(slot.inspect()).to.equal(undefined)
  })
})
