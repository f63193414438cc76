import { giveMemory, type MemoryAccount, takeMemory } from './memory.ts'

/**
 * The part of a message that has arrived. The buffer grows by doubling, so single bytes cost little, and the original
 * read buffers are not kept.
 */
export type Body = { bytes: Buffer; length: number }

const leastBytes = 4096

/** Creates an empty body; the first bytes allocate it. */
export function createBody(): Body {
  return { bytes: Buffer.alloc(0), length: 0 }
}

/**
 * Appends bytes, up to `maxBytes` in all; false when memory has run out. It allocates at most `expectedBytes` while these
 * suffice. So a client's announcement limits the allocation but never enlarges it.
 */
export function appendToBody(
  body: Body,
  account: MemoryAccount,
  chunk: Uint8Array,
  maxBytes: number,
  expectedBytes: number = maxBytes,
): boolean {
  const length = body.length + chunk.length
  if (length > maxBytes) return false
  const bound = length > expectedBytes ? maxBytes : expectedBytes
  const room = Math.min(Math.max(length, leastBytes, body.bytes.length * 2), bound)
  if (length > body.bytes.length && !grow(body, account, room)) return false
  body.bytes.set(chunk, body.length)
  body.length = length
  return true
}

/** Returns the bytes so far. */
export function heldBytes({ bytes, length }: Body): Buffer {
  return bytes.subarray(0, length)
}

/** Releases the bytes. */
export function releaseBody(body: Body, account: MemoryAccount): void {
  giveMemory(account, body.bytes.length)
  body.bytes = Buffer.alloc(0)
  body.length = 0
}

function grow(body: Body, account: MemoryAccount, room: number): boolean {
  if (!takeMemory(account, room - body.bytes.length)) return false
  const bytes = Buffer.allocUnsafeSlow(room)
  body.bytes.copy(bytes, 0, 0, body.length)
  body.bytes = bytes
  return true
}
