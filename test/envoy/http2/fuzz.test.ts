import { expect } from 'chai'
import { flag, frameType, uint32 } from '../../../src/envoy/http2/frames/frames.ts'
import { createHealth } from '../../../src/envoy/http2/grpc/health.ts'
import type { Method } from '../../../src/envoy/http2/grpc/method.ts'
import { defaultWindowBytes } from '../../../src/envoy/http2/session.ts'
import { onSent } from '../../../src/envoy/http2/unsent.ts'
import { frameMessage } from '../../../src/envoy/unary-message.ts'
import {
  anyFrame,
  callFrames,
  checkPath,
  createTestSession,
  dataFrame,
  echo,
  headersFrame,
  headersWith,
  keptField,
  namedField,
  parseFrames,
  type SeenFrame,
  settingsFrame,
  type TestSession,
  watchPath,
} from '../../support/http2-session.ts'
import { createRandom, type Random, seed } from '../../support/random.ts'

const runs = Number(process.env['FUZZ_RUNS'] ?? 400)
const steps = 120

/** One conversation in which the client, the network, the kernel, the handlers and the clock do anything. */
type Play = {
  readonly test: TestSession
  readonly random: Random
  readonly pending: ((message: Uint8Array) => void)[]
  readonly health: ReturnType<typeof createHealth>
  /**
   * The bytes that the client's windows allow: on the connection (0), and on each stream beyond the largest initial
   * window.
   */
  readonly granted: Map<number, number>
  nextId: number
}

type Move = (play: Play) => void

const someStream = ({ random, nextId }: Play) => Math.max(1, nextId - 2 * random(8))
const freshStream = (play: Play) => {
  play.nextId += 2
  return play.nextId
}
const someWindow = (random: Random) => [1, 5, 100, 65_535, 1_000_000][random(5)] ?? 1
const fatalWindow = (random: Random) => [0, 0x7fff_ffff][random(2)] ?? 0
const message = (random: Random) => Buffer.alloc([0, 1, 100, 20_000, 70_000][random(5)] ?? 0, random(256))

const moves: readonly Move[] = [
  (play) => play.test.hear(callFrames(freshStream(play), message(play.random).subarray(0, 16_000))),
  (play) => play.test.hear(callFrames(freshStream(play), 'slow', '/slow')),
  (play) => play.test.hear(callFrames(freshStream(play), '', watchPath)),
  (play) => play.test.hear(callFrames(freshStream(play), 'x', '/unknown')),
  (play) => play.test.hear(headersFrame(freshStream(play))),
  (play) => {
    const isThere = play.test.session.decoder.table.count > 0 && play.random(3) > 0
    const field = isThere ? namedField(1 + play.random(5)) : keptField('a', 127 + play.random(4000))
    play.test.hear(headersWith(freshStream(play), field))
  },
  (play) => {
    const body = frameMessage(message(play.random))
    const from = play.random(body.length)
    const part = body.subarray(from, from + 16_000)
    play.test.hear(dataFrame(someStream(play), part, play.random(2) * flag.endStream))
  },
  (play) => grant(play, 0),
  (play) => grant(play, someStream(play)),
  (play) => play.test.hear(settingsFrame(0x4, [0, 1, 70, defaultWindowBytes][play.random(4)] ?? 0)),
  (play) => play.test.hear(settingsFrame(0x1, play.random(2) * 4096)),
  (play) => play.test.hear(anyFrame('rstStream', someStream(play), uint32(8))),
  (play) => play.test.hear(anyFrame('ping', 0, Buffer.alloc(8))),
  (play) => play.test.hear(anyFrame('settings', 0, Buffer.alloc(0), flag.ack)),
  (play) => {
    for (const settle of play.pending.splice(0, 1 + play.random(3))) settle(message(play.random))
  },
  (play) => play.health.setServing(play.random(2) === 0),
  (play) => play.test.pass([1, 100, 5000, 16_000, 31_000][play.random(5)] ?? 0),
  (play) => {
    play.test.link.takes = play.random(3) > 0
    if (!play.test.link.takes) return
    play.test.link.unsent = 0
    onSent(play.test.session)
  },
]

function grant({ test, random, granted }: Play, streamId: number): void {
  const bytes = someWindow(random)
  granted.set(streamId, (granted.get(streamId) ?? 0) + bytes)
  test.hear(anyFrame('windowUpdate', streamId, uint32(bytes)))
}

/** Changes a byte of one honest frame, or its length, or leaves some of it out. */
const damage: Move = (play) => {
  const frames = [
    callFrames(freshStream(play), 'abc'),
    settingsFrame(0x4, 70_000),
    anyFrame('windowUpdate', someStream(play), uint32(9)),
    anyFrame('windowUpdate', 0, uint32(fatalWindow(play.random))),
    anyFrame('priority', someStream(play), Buffer.alloc(5)),
    anyFrame('continuation', someStream(play), Buffer.from([0x88])),
  ]
  const bytes = Buffer.from(frames[play.random(frames.length)] ?? frames[0] ?? Buffer.alloc(0))
  bytes[play.random(bytes.length)] = play.random(256)
  play.test.hear(play.random(4) === 0 ? bytes.subarray(0, play.random(bytes.length)) : bytes)
}

describe(`envoy/http2, random frames (SEED=${seed})`, () => {
  it(`keeps its promises in ${runs} conversations of ${steps} moves`, async () => {
    let moved = 0
    for (let run = 0; run < runs; run++) moved += await converse(seed + run, false)
    // A fuzzer whose conversations end at once finds nothing.
    expect(moved / runs).to.be.above(steps / 2)
  })

  it(`keeps its promises in ${runs} conversations with damaged frames`, async () => {
    for (let run = 0; run < runs; run++) await converse(seed + run, true)
  })
})

/** Says how many moves were made before the connection ended. */
async function converse(runSeed: number, isDamaged: boolean): Promise<number> {
  const random = createRandom(runSeed)
  const pending: ((message: Uint8Array) => void)[] = []
  const slow: Method = {
    kind: 'unary',
    answer: () => new Promise((resolve) => pending.push(resolve)),
  }
  const health = createHealth()
  const methods = { [checkPath]: echo, '/slow': slow, [watchPath]: health.watch }
  const overrides = { maxStreams: 40, maxConnectionBytes: 500_000, pauseAboveBytes: 60_000 }
  const test = createTestSession(overrides, methods)
  const play: Play = { test, random, pending, health, granted: new Map(), nextId: -1 }
  test.hear(callFrames(freshStream(play), 'first'))
  let step = 0
  for (; step < steps && test.session.state !== 'closed' && !test.link.isDestroyed; step++) {
    const move = isDamaged && random(6) === 0 ? damage : moves[random(moves.length)]
    move?.(play)
    if (step % 10 === 0) await new Promise((resolve) => setImmediate(resolve))
    holdsItsPromises(test, `SEED=${runSeed} FUZZ_RUNS=1, move ${step}`)
  }
  for (const settle of pending.splice(0)) settle(Buffer.from('late'))
  await new Promise((resolve) => setImmediate(resolve))
  const frames = parseFrames(test.sentBytes())
  areInOrder(frames, `SEED=${runSeed} FUZZ_RUNS=1`)
  if (!isDamaged) areWithinWindows(frames, play.granted, `SEED=${runSeed} FUZZ_RUNS=1`)
  endsClean(test, `SEED=${runSeed} FUZZ_RUNS=1`)
  return step
}

function holdsItsPromises({ session, memory, link }: TestSession, where: string): void {
  expect(session.memory.usedBytes, where).to.be.within(0, 500_000)
  expect(memory.usedBytes, where).to.equal(session.memory.usedBytes)
  expect(session.streams.size, where).to.be.at.most(40)
  expect(session.orphans, where).to.be.at.least(0)
  expect(session.resets.size, where).to.be.at.most(1024)
  for (const stream of session.waiting) expect(session.streams.get(stream.id), where).to.equal(stream)
  if (session.state === 'closed' || link.isDestroyed) return
  for (const stream of session.streams.values()) {
    const { outgoing } = stream
    if (outgoing === undefined) continue
    // Everything that the windows allow has been sent.
    const isBlocked = stream.sendWindow <= 0 || (session.sendWindow <= 0 && session.waiting.has(stream))
    expect(isBlocked, `${where}: stream ${stream.id} waits for nothing`).to.equal(true)
  }
}

/** Frames of a stream come in an order that HTTP/2 allows: head, data, end, and nothing after the end. */
function areInOrder(frames: readonly SeenFrame[], where: string): void {
  const states = new Map<number, 'begun' | 'ended' | 'reset'>()
  for (const { type, flags, streamId } of frames) {
    if (streamId === 0 || type === frameType.windowUpdate) continue
    const state = states.get(streamId)
    const isReset = type === frameType.rstStream
    if (!isReset)
      expect(state, `${where}: frame after the end of ${streamId}`).to.not.be.oneOf(['ended', 'reset'])
    if (type === frameType.data) expect(state, `${where}: data without head`).to.equal('begun')
    const isEnd = (flags & flag.endStream) !== 0
    states.set(streamId, isReset ? 'reset' : isEnd ? 'ended' : 'begun')
  }
}

function areWithinWindows(
  frames: readonly SeenFrame[],
  granted: ReadonlyMap<number, number>,
  where: string,
): void {
  const used = new Map<number, number>()
  for (const { type, streamId, payload } of frames) {
    if (type !== frameType.data) continue
    for (const id of [0, streamId]) {
      used.set(id, (used.get(id) ?? 0) + payload.length)
      const window = defaultWindowBytes + (granted.get(id) ?? 0)
      expect(used.get(id), `${where}: window of ${id}`).to.be.at.most(window)
    }
  }
}

/** Once time has run out for everything, nothing is held. */
function endsClean(test: TestSession, where: string): void {
  test.link.takes = true
  test.link.unsent = 0
  onSent(test.session)
  for (let step = 0; step < 5; step++) test.pass(400_000)
  expect(test.session.streams.size, where).to.equal(0)
  expect(test.session.orphans, where).to.equal(0)
  expect(test.memory.usedBytes, where).to.equal(0)
}
