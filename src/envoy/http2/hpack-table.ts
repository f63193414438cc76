import { type HeaderField, toHeaderField } from './header-field.ts'
import { staticTable } from './hpack-static.ts'

/** What a connection remembers of earlier header fields (RFC 7541 §2.3), bounded in bytes. */
export type HpackTable = {
  /** A ring: the newest field stands before `next`. */
  readonly slots: (HeaderField | undefined)[]
  next: number
  count: number
  bytes: number
  maxBytes: number
  /** What we announced: SETTINGS_HEADER_TABLE_SIZE. */
  readonly limitBytes: number
}

/** No field counts less, so a table never holds more than its bytes by this. */
const leastFieldBytes = 32

/** Held by all of us, so that no connection is the first or the last to hold one. */
const staticFields: readonly HeaderField[] = staticTable.map(([name, value]) => toHeaderField(name, value, 1))

/** An empty table that may grow to `limitBytes`. */
export function createHpackTable(limitBytes: number): HpackTable {
  const slots = new Array<HeaderField | undefined>(Math.ceil(limitBytes / leastFieldBytes) + 1)
  return { slots: slots.fill(undefined), next: 0, count: 0, bytes: 0, maxBytes: limitBytes, limitBytes }
}

/** The field at an index of RFC 7541 §2.3.3; `undefined` when there is none. */
export function fieldAt(table: HpackTable, index: number): HeaderField | undefined {
  if (index <= staticFields.length) return staticFields[index - 1]
  const age = index - staticFields.length
  if (age > table.count) return undefined
  const { length } = table.slots
  return table.slots[(table.next - age + length) % length]
}

/** Adds a field; one that is larger than the table empties it (RFC 7541 §4.4). */
export function addField(table: HpackTable, field: HeaderField): void {
  evict(table, table.maxBytes - field.bytes)
  if (field.bytes > table.maxBytes) return
  table.slots[table.next] = field
  table.next = (table.next + 1) % table.slots.length
  table.count++
  table.bytes += field.bytes
}

/** Takes a new size from the peer; false when it is more than we announced. */
export function resizeTable(table: HpackTable, maxBytes: number): boolean {
  if (maxBytes > table.limitBytes) return false
  table.maxBytes = maxBytes
  evict(table, maxBytes)
  return true
}

function evict(table: HpackTable, roomBytes: number): void {
  const { slots } = table
  while (table.count > 0 && table.bytes > roomBytes) {
    const oldest = (table.next - table.count + slots.length) % slots.length
    table.bytes -= slots[oldest]?.bytes ?? 0
    slots[oldest] = undefined
    table.count--
  }
}
