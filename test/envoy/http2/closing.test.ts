import { expect } from 'chai'
import { endSession } from '../../../src/envoy/http2/connection.ts'
import { startDraining } from '../../../src/envoy/http2/draining.ts'
import { defaultLimits, type Limits } from '../../../src/envoy/http2/limits.ts'
import {
  anyFrame,
  callFrames,
  createTestSession,
  settingsFrame,
  type TestSession,
} from '../../support/http2-session.ts'

const forever = { keepaliveMs: 1e9, idleMs: 1e9 }

describe('envoy/http2/closing', () => {
  const cases: readonly {
    readonly name: string
    readonly limits?: Partial<Limits>
    readonly act: (test: TestSession) => void
    readonly want: readonly string[]
  }[] = [
    {
      name: 'a frame that may not be',
      act: (test) => test.hear(anyFrame('pushPromise', 0)),
      want: ['protocol_error'],
    },
    {
      name: 'a window that is too large',
      act: (test) => test.hear(settingsFrame(0x4, 0x8000_0000)),
      want: ['flow_control_error'],
    },
    {
      name: 'a flood',
      act: (test) => test.hear(...Array.from({ length: 2000 }, () => anyFrame('ping', 0, Buffer.alloc(8)))),
      want: ['enhance_your_calm'],
    },
    {
      name: 'a peer that does not say that it is there',
      act(test) {
        test.pass(defaultLimits.keepaliveMs + 1)
        test.pass(defaultLimits.keepaliveTimeoutMs + 1)
        test.pass(1)
      },
      want: ['silent'],
    },
    {
      name: 'a peer that takes nothing',
      limits: forever,
      act(test) {
        test.link.takes = false
        test.hear(callFrames(1, 'a'))
        test.pass(defaultLimits.stalledMs + 1)
      },
      want: ['stalled'],
    },
    {
      name: 'more that waits for a peer than we hold',
      limits: { maxConnectionBytes: 20_000 },
      act(test) {
        test.link.takes = false
        for (let id = 1; id < 5; id += 2) test.hear(callFrames(id, Buffer.alloc(15_000)))
      },
      want: ['memory'],
    },
    { name: 'nothing: it has been asked to end', act: (test) => endSession(test.session), want: [] },
    {
      name: 'nothing: it has drained',
      act(test) {
        startDraining(test.session)
        test.pass(1001)
      },
      want: [],
    },
  ]
  for (const { name, limits, act, want } of cases) {
    it(`says once why a connection ends: ${name}`, () => {
      const test = createTestSession(limits)
      act(test)
      expect(test.ended).to.deep.equal(want)
    })
  }
})
