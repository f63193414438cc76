/** Bytes that all connections of a listener hold for their peers. */
export type SharedMemory = { usedBytes: number; readonly maxBytes: number }

/** What one connection holds of it. */
export type MemoryAccount = {
  usedBytes: number
  readonly maxBytes: number
  readonly shared: SharedMemory
}

/** An account that holds nothing yet. */
export function createMemoryAccount(shared: SharedMemory, maxBytes: number): MemoryAccount {
  return { usedBytes: 0, maxBytes, shared }
}

/** Takes bytes; false, with nothing taken, when the connection or all together would hold too much. */
export function takeMemory(account: MemoryAccount, bytes: number): boolean {
  const isWithin =
    account.usedBytes + bytes <= account.maxBytes &&
    account.shared.usedBytes + bytes <= account.shared.maxBytes
  if (!isWithin) return false
  account.usedBytes += bytes
  account.shared.usedBytes += bytes
  return true
}

/** Gives bytes back. INVARIANT: exactly those that were taken. */
export function giveMemory(account: MemoryAccount, bytes: number): void {
  account.usedBytes -= bytes
  account.shared.usedBytes -= bytes
}
