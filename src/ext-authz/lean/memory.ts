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

/** Takes bytes; false, with nothing taken, when the connection would hold too much, or more than it leaves free for the others. */
export function takeMemory(account: MemoryAccount, bytes: number): boolean {
  const { shared } = account
  const ownBytes = account.usedBytes + bytes
  const freeBytes = shared.maxBytes - shared.usedBytes - bytes
  if (ownBytes > account.maxBytes || ownBytes > freeBytes) return false
  account.usedBytes = ownBytes
  shared.usedBytes += bytes
  return true
}

/** Gives bytes back. INVARIANT: exactly those that were taken. */
export function giveMemory(account: MemoryAccount, bytes: number): void {
  account.usedBytes -= bytes
  account.shared.usedBytes -= bytes
}
