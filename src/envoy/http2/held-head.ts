import { giveMemory, type MemoryAccount, takeMemory } from '../memory.ts'
import type { RequestHead } from './request-head.ts'

/** What a call takes beside its fields, a field beside its text and what HPACK counts, and a place in a list of fields. */
const callBytes = 512
const fieldBytes = 80
const placeBytes = 16

/**
 * Takes what it costs to hold a head; false, with nothing taken, when that is too much. INVARIANT: a field counts once as long as
 * any call holds it. By one byte a client names a field of HPACK's table again: that costs us a place, and not the field. And
 * what the table has let go of is still there while a call holds it.
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

/** Lets go of a head that was held. */
export function releaseHead({ fields }: RequestHead, account: MemoryAccount): void {
  let bytes = callBytes + fields.length * placeBytes
  for (const field of fields) {
    if (--field.holders === 0) bytes += fieldBytes + field.bytes
  }
  giveMemory(account, bytes)
}
