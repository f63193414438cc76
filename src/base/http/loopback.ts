/** True if only this machine can reach the address. */
export function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.')
}
