/** Bytes that all connections together hold for their clients. */
export type SharedMemory = {
  usedBytes: number
  readonly maxBytes: number
  /** What the connections of each address hold, as long as there are any. */
  readonly shares: Map<string, AddressShare>
}

type AddressShare = { usedBytes: number; accounts: number }

/** What one connection holds. */
export type MemoryAccount = {
  usedBytes: number
  readonly maxBytes: number
  readonly address: string
  readonly share: AddressShare
  readonly shared: SharedMemory
}

/** Memory of which nothing is held yet. */
export function createSharedMemory(maxBytes: number): SharedMemory {
  return { usedBytes: 0, maxBytes, shares: new Map() }
}

/** Opens the account of a connection from an address; it must be closed with the connection. */
export function openMemoryAccount(shared: SharedMemory, maxBytes: number, address: string): MemoryAccount {
  const share = shared.shares.get(address) ?? { usedBytes: 0, accounts: 0 }
  share.accounts++
  shared.shares.set(address, share)
  return { usedBytes: 0, maxBytes, address, share, shared }
}

/** Forgets the account of a connection that is gone. What it still holds may be given back later. */
export function closeMemoryAccount({ address, share, shared }: MemoryAccount): void {
  share.accounts--
  if (share.accounts === 0) shared.shares.delete(address)
}

/**
 * Takes bytes; false, with nothing taken, when the connection would hold too much, or its address more than it leaves free for
 * the others. By address, because a client that may open many connections would otherwise have as many shares.
 */
export function takeMemory(account: MemoryAccount, bytes: number): boolean {
  const { shared, share } = account
  const ownBytes = account.usedBytes + bytes
  const freeBytes = shared.maxBytes - shared.usedBytes - bytes
  if (ownBytes > account.maxBytes || share.usedBytes + bytes > freeBytes) return false
  account.usedBytes = ownBytes
  share.usedBytes += bytes
  shared.usedBytes += bytes
  return true
}

/** Gives bytes back. INVARIANT: exactly those that were taken. */
export function giveMemory(account: MemoryAccount, bytes: number): void {
  account.usedBytes -= bytes
  account.share.usedBytes -= bytes
  account.shared.usedBytes -= bytes
}
