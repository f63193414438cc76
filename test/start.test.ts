import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { expect } from 'chai'

const source = resolve(import.meta.dirname, '../src')

/** Everything that is loaded at once with a module: what it imports by `await import` is not. */
function loadedWith(module: string): {
  readonly files: ReadonlySet<string>
  readonly packages: ReadonlySet<string>
} {
  const files = new Set<string>()
  const packages = new Set<string>()
  const visit = (file: string): void => {
    if (files.has(file)) return
    files.add(file)
    for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(importPattern)) {
      if (name.startsWith('.')) visit(resolve(dirname(file), name))
      else if (!name.startsWith('node:')) packages.add(name)
    }
  }
  visit(resolve(source, module))
  return { files, packages }
}

/** A file of types alone leaves nothing to load. */
const importPattern = /^(?:import|export) (?!type )(?:[^;'"]*? from )?'([^']+)'/gm

describe('what a start loads', () => {
  it('leaves grpc-js, protobufjs and OpenTelemetry to those that are configured to use them', () => {
    const { files, packages } = loadedWith('server/app.ts')
    expect(files.has(resolve(source, 'envoy/http2/http2-server.ts'))).to.equal(true)
    expect([...packages].filter((name) => /grpc|opentelemetry/.test(name))).to.deep.equal([])
  })

  it('leaves to each command what it alone needs', () => {
    const { files } = loadedWith('main.ts')
    const rooms = [...files].map((file) => file.slice(source.length + 1)).filter((file) => file.includes('/'))
    expect(rooms.filter((file) => !file.startsWith('cli/'))).to.deep.equal([])
    expect(files.has(resolve(source, 'cli/serve.ts'))).to.equal(false)
  })
})
