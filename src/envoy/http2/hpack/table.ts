import { type HeaderField, toHeaderField } from './header-field.ts'
import { staticTable } from './static-table.ts'

/** The dynamic table of a connection (RFC 7541 §2.3), bounded in bytes. */
export type HpackTable = {
  /** A ring buffer: the newest field is before `next`. */
  readonly slots: (HeaderField | undefined)[]
  next: number
  count: number
  bytes: number
  maxBytes: number
  /** The announced SETTINGS_HEADER_TABLE_SIZE. */
  readonly limitBytes: number
}

/** The minimum size of a field, which bounds the number of fields. */
const leastFieldBytes = 32

/** Holds an extra reference, so that no call is charged for a static field. */
const staticFields: readonly HeaderField[] = staticTable.map(([name, value]) => toHeaderField(name, value, 1))

/** Creates an empty table with the maximum size `limitBytes`. */
export function createHpackTable(limitBytes: number): HpackTable {
  const slots = new Array<HeaderField | undefined>(Math.ceil(limitBytes / leastFieldBytes) + 1)
  return { slots: slots.fill(undefined), next: 0, count: 0, bytes: 0, maxBytes: limitBytes, limitBytes }
}

/** Returns the field at an index of RFC 7541 §2.3.3; `undefined` if there is none. */
export function fieldAt(table: HpackTable, index: number): HeaderField | undefined {
  if (index <= staticFields.length) return staticFields[index - 1]
  const age = index - staticFields.length
  if (age > table.count) return undefined
  const { length } = table.slots
  return table.slots[(table.next - age + length) % length]
}

/** Adds a field. A field larger than the table empties it (RFC 7541 §4.4). */
export function addField(table: HpackTable, field: HeaderField): void {
  evict(table, table.maxBytes - field.bytes)
  if (field.bytes > table.maxBytes) return
  table.slots[table.next] = field
  table.next = (table.next + 1) % table.slots.length
  table.count++
  table.bytes += field.bytes
}

/** Applies the peer's new table size; false if it exceeds the announced maximum. */
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
