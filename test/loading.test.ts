import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { createServer } from 'node:net'
import { expect } from 'chai'
import { guard } from './support/loading.ts'

describe('a test file, when it is loaded', () => {
  const refused: readonly { readonly name: string; readonly run: () => unknown }[] = [
    { name: 'reads no wall clock', run: () => Date.now() },
    { name: 'makes no date of now', run: () => new Date() },
    { name: 'reads no monotonic clock', run: () => performance.now() },
    { name: 'starts no process', run: () => spawn('true') },
    { name: 'runs no process', run: () => spawnSync('true') },
    { name: 'listens nowhere', run: () => createServer().listen(0) },
    { name: 'starts no timer', run: () => setTimeout(() => {}, 1) },
    { name: 'makes no directory', run: () => mkdtempSync('/nowhere/x') },
    { name: 'makes no directory later', run: () => mkdir('/nowhere/x') },
    { name: 'writes no file', run: () => writeFileSync('/nowhere/x', '') },
    { name: 'asks nobody', run: () => fetch('http://127.0.0.1:1') },
  ]
  for (const { name, run } of refused) {
    it(name, () => {
      const end = guard()
      try {
        expect(run).to.throw().with.property('code', 'done_at_load')
      } finally {
        end()
      }
    })
  }

  it('may name a moment', () => {
    const end = guard()
    const moment = new Date(0)
    end()
    expect(moment.getTime()).to.equal(0)
  })

  it('is followed by tests that may do anything', () => {
    guard()()
    expect(Date.now()).to.be.above(0)
    expect(new Date()).to.be.instanceOf(Date)
    expect(spawnSync('true').status).to.equal(0)
  })

  it('is named with the place in it', () => {
    const end = guard()
    try {
      expect(() => Date.now()).to.throw(/^test\/loading\.test\.ts:\d+/)
    } finally {
      end()
    }
  })
})
