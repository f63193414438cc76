/**
 * Writes `host:port` as the catalog does, by what the URL parser of Node makes of IPv6: a second opinion on our own. It writes an
 * IPv4-mapped address in hexadecimal.
 */
export function toAddressByUrl(host: string, port: number): string {
  if (!host.includes(':')) return `${host}:${port}`
  // The parser of URLs passes over these.
  const text = `http://[${host}]/`
  if (/[\s[\]/\\?#@]/.test(host) || !URL.canParse(text)) return `[${host}]:${port}`
  const { hostname } = new URL(text)
  const [, high = '', low = ''] = /^\[::ffff:([0-9a-f]+):([0-9a-f]+)\]$/.exec(hostname) ?? []
  if (high === '') return `${hostname}:${port}`
  const numbers = [high, low].map((group) => Number.parseInt(group, 16))
  return `${numbers.flatMap((number) => [number >> 8, number & 0xff]).join('.')}:${port}`
}
