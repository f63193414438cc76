/** The bytes that all connections together hold for their clients. */
export type SharedMemory = {
  usedBytes: number
  readonly maxBytes: number
  /** The bytes of each address with connections. */
  readonly shares: Map<string, AddressShare>
}

type AddressShare = { usedBytes: number; accounts: number }

/** The bytes that one connection holds. */
export type MemoryAccount = {
  usedBytes: number
  readonly maxBytes: number
  readonly address: string
  readonly share: AddressShare
  readonly shared: SharedMemory
}

/** Creates shared memory with nothing held. */
export function createSharedMemory(maxBytes: number): SharedMemory {
  return { usedBytes: 0, maxBytes, shares: new Map() }
}

/** Opens the account of a connection. It must be closed with the connection. */
export function openMemoryAccount(shared: SharedMemory, maxBytes: number, address: string): MemoryAccount {
  const share = shared.shares.get(address) ?? { usedBytes: 0, accounts: 0 }
  share.accounts++
  shared.shares.set(address, share)
  return { usedBytes: 0, maxBytes, address, share, shared }
}

/** Removes the account of a closed connection. Its remaining bytes may be returned later. */
export function closeMemoryAccount({ address, share, shared }: MemoryAccount): void {
  share.accounts--
  if (share.accounts === 0) shared.shares.delete(address)
}

/**
 * Takes bytes; false, with nothing taken, if the connection would hold too much, or its address more than it leaves free.
 * The limit is by address, because otherwise a client with many connections would have many shares.
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

/** Returns bytes. INVARIANT: exactly those that were taken. */
export function giveMemory(account: MemoryAccount, bytes: number): void {
  account.usedBytes -= bytes
  account.share.usedBytes -= bytes
  account.shared.usedBytes -= bytes
}
