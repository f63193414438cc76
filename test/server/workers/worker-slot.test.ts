import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { expect } from 'chai'
import { createAcceptor } from '../../../src/envoy/acceptor.ts'
import { WorkerPlace } from '../../../src/server/workers/worker-slot.ts'

describe('server/workers/worker-slot', () => {
  const places: WorkerPlace[] = []

  afterEach(async () => {
    for (const place of places.splice(0)) {
      place.kill()
      await place.ended
    }
  })

  const create = (behaviour: string, written: string[] = [], program = 'test/support/fake-worker.mjs') => {
    const place = new WorkerPlace(1, {
      program,
      file: 'waywarden.yaml',
      text: behaviour,
      writeOut: (lines) => written.push(String(lines)),
      writeError: () => {},
    })
    places.push(place)
    return place
  }
  const open = async (behaviour: string, written: string[] = []): Promise<WorkerPlace> => {
    const place = create(behaviour, written)
    expect(await place.open()).to.equal('opened')
    return place
  }

  it('tells what its process says, and passes its lines on', async () => {
    const written: string[] = []
    const place = await open('serves', written)
    expect(place.shown?.readiness).to.include({ ready: true })
    expect(await place.measure()).to.equal('metrics of 1')
    place.drain('SIGTERM')
    expect(await place.ended).to.deep.equal({ code: 0, how: 'exit code 0' })
    expect(written.join('')).to.equal('opened 1\n')
    expect(place.shown).to.equal(undefined)
    expect(await place.measure()).to.equal(undefined)
  })

  it('takes a process that cannot be started for one that has ended', async () => {
    const place = create('serves', [], 'no path has a \0')
    const end = await place.open()
    expect(end).to.include({ code: null }).and.to.have.property('how').that.includes('null bytes')
    expect(await place.ended).to.equal(end)
    expect([place.isOpen, place.pid, place.look()]).to.deep.equal([false, undefined, undefined])
  })

  it('finds a process that does not open for two minutes, and says why it was killed', async () => {
    const place = create('neverOpens')
    const opened = place.open()
    const looks = Array.from({ length: 61 }, () => place.look())
    expect(looks.slice(0, 60)).to.deep.equal(Array.from({ length: 60 }, () => undefined))
    expect(looks.at(-1)).to.equal('silent')
    place.kill('it was silent')
    expect(await opened).to.deep.equal({ code: null, how: 'SIGKILL, for it was silent' })
  })

  it('finds a process that is silent for half a minute', async () => {
    const place = await open('serves')
    const looks = Array.from({ length: 16 }, () => place.look())
    expect(looks.slice(0, 15)).to.deep.equal(Array.from({ length: 15 }, () => undefined))
    expect(looks.at(-1)).to.equal('silent')
    // A sign of life.
    await place.measure()
    expect(place.look()).to.equal(undefined)
  })

  it('finds a process that cannot decide for those whom it serves, for ten seconds', async () => {
    const place = await open('cannotDecideForWhomItHolds')
    await using acceptor = await createAcceptor({ address: '127.0.0.1', port: 0 }, (socket) =>
      place.give(0, socket),
    )
    const client = connect(acceptor.port, '127.0.0.1')
    while (place.connections === 0) await wait(5)
    const looks = Array.from({ length: 6 }, () => place.look())
    expect(looks.slice(0, 5)).to.deep.equal(Array.from({ length: 5 }, () => undefined))
    expect(looks.at(-1)).to.equal('unready')
    client.destroy()
  })

  it('finds nothing wrong with one that cannot decide and serves nobody', async () => {
    const place = await open('cannotDecide')
    expect([place.isOpen, place.isReady]).to.deep.equal([true, false])
    for (let look = 0; look < 10; look++) expect(place.look()).to.equal(undefined)
  })
})
