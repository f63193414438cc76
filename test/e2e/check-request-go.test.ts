import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { type CheckInput, singleHeader } from '../../src/base/model/check-input.ts'
import { isDeny } from '../../src/base/model/decision.ts'
import { decodeCheckRequest } from '../../src/envoy/codec/decode.ts'
import { toAddressByUrl } from '../support/address-by-url.ts'
import { mutatedRequest } from '../support/mutated-requests.ts'

const program = join(import.meta.dirname, '../../.tools/bin/check-request-go')
const count = 10_000

/** The reading of Envoy's own Go types; bytes are in base64. */
type GoFields = {
  readonly principal: string
  readonly address: string
  readonly port: number
  readonly method: string
  readonly path: string
  readonly host: string
  readonly headers: Readonly<Record<string, string>> | null
  readonly headerMap: readonly {
    readonly name: string
    readonly value: string
    readonly raw: string | null
  }[]
}

describe("a CheckRequest, to us and to Envoy's Go types", () => {
  it('says the same in every field, whatever bytes of it are replaced, cut or repeated', () => {
    const seed = Date.now() % 2 ** 31
    const requests = fc.sample(mutatedRequest, { numRuns: count, seed })
    const seen = { equal: 0, refused: 0, onlyHere: 0, onlyThere: 0 }
    for (const [index, there] of readByGo(requests).entries()) {
      const bytes = requests[index] ?? Buffer.alloc(0)
      const here = decodeCheckRequest(bytes, { metadata: new Map(), tlsPeerUris: [] })
      if (isDeny(here)) seen[there === null ? 'refused' : 'onlyThere']++
      // Go's types look into what no decision reads, too.
      else if (there === null) seen.onlyHere++
      else {
        expect(toPlain(here), `seed ${seed}, ${bytes.toString('hex')}`).to.deep.equal(fromGo(there))
        seen.equal++
      }
    }
    expect(Math.min(seen.equal, seen.refused), JSON.stringify({ seed, ...seen })).to.be.greaterThan(
      count / 20,
    )
    expect(seen.onlyHere, JSON.stringify({ seed, ...seen })).to.be.lessThan(count / 50)
  })
})

function readByGo(requests: readonly Buffer[]): readonly (GoFields | null)[] {
  const input = Buffer.concat(requests.flatMap((request) => [toLength(request), request]))
  const { stdout, status, stderr } = spawnSync(program, {
    input,
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  })
  expect(status, stderr).to.equal(0)
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

function toLength({ length }: Buffer): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(length)
  return bytes
}

function toPlain(input: CheckInput) {
  const { sourcePrincipal, destinationAddress, method, path, host, headers } = input
  for (const [name, values] of headers) {
    // Asked for by name or all at once, a header has the same values.
    expect(headers.get(name)).to.deep.equal(values)
    expect(singleHeader(headers, name)).to.deep.equal(values.length > 1 ? 'repeated' : { value: values[0] })
  }
  return { sourcePrincipal, destinationAddress, method, path, host, headers: new Map(headers) }
}

function fromGo({ principal, address, port, method, path, host, headers, headerMap }: GoFields) {
  const byName = new Map<string, string[]>()
  for (const [name, value] of Object.entries(headers ?? {})) byName.set(name, [value])
  for (const { name, value, raw } of headerMap) {
    const text = raw === null || raw === '' ? value : Buffer.from(raw, 'base64').toString()
    byName.set(name, [...(byName.get(name) ?? []), text])
  }
  const isWhole = address !== '' && port !== 0
  return {
    sourcePrincipal: principal,
    destinationAddress: isWhole ? toAddressByUrl(address, port) : '',
    method,
    path,
    host,
    headers: byName,
  }
}
