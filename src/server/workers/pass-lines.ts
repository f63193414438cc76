import type { Readable } from 'node:stream'

const newline = 0x0a

/** Passes on whole lines only, because several processes write to one stream and their lines must not mix. */
export function passLines(from: Readable, write: (lines: Uint8Array) => void): void {
  let rest: Buffer[] = []
  from.on('data', (chunk: Buffer) => {
    const end = chunk.lastIndexOf(newline) + 1
    if (end > 0) write(Buffer.concat([...rest.splice(0), chunk.subarray(0, end)]))
    if (end < chunk.length) rest.push(chunk.subarray(end))
  })
  from.on('end', () => {
    // If a worker ends in the middle of a line, another worker's line must not be appended to it.
    if (rest.length > 0) write(Buffer.concat([...rest, Buffer.of(newline)]))
    rest = []
  })
}
