import { giveMemory, type MemoryAccount, takeMemory } from '../memory.ts'
import type { RequestHead } from './grpc/request-head.ts'

/**
 * The approximate memory of a call without its fields, of a field without its text and HPACK's overhead, and of a slot in
 * a list of fields.
 */
const callBytes = 512
const fieldBytes = 80
const placeBytes = 16

/**
 * Counts the memory of a request head; false, with nothing counted, if it is too much. INVARIANT: each field is charged
 * once, however many open calls share it. A client can reference an HPACK table entry with one byte, so each further
 * reference is charged a list slot only. A field that is evicted from the table stays charged until its last call ends.
 */
export function holdHead({ fields }: RequestHead, account: MemoryAccount): boolean {
  let bytes = callBytes + fields.length * placeBytes
  for (const field of fields) {
    if (field.holders++ === 0) bytes += fieldBytes + field.bytes
  }
  if (takeMemory(account, bytes)) return true
  for (const field of fields) field.holders--
  return false
}

/** Releases a held head. */
export function releaseHead({ fields }: RequestHead, account: MemoryAccount): void {
  let bytes = callBytes + fields.length * placeBytes
  for (const field of fields) {
    if (--field.holders === 0) bytes += fieldBytes + field.bytes
  }
  giveMemory(account, bytes)
}
