// Where the chain may go. A reader of the header can present it only as its holder, but it names users and agents:
// it is nobody's business outside the mesh.
const defaultPorts = { 'http:': 80, 'https:': 443, 'ws:': 80, 'wss:': 443 }
const entryPattern = /^(\.?)([a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::(\d{1,5}))?$/
const suffixPattern = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*\.[a-z][a-z0-9-]*$/
const grpcTargetPattern =
  /^(?:dns:(?:\/\/[^/]*\/)?|ipv4:|ipv6:)?([a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?$/i

/** Thrown when an entry is not `host`, `host:port`, `.suffix` or `.suffix:port`. */
export class AllowListError extends Error {
  name = 'AllowListError'
  code = 'allow_list_invalid'
}

/** Parses the entries into one question: may the chain go to this destination? */
export function parseAllowList(entries) {
  const rules = entries.map(parseEntry)
  return (destination) =>
    destination !== undefined &&
    rules.some(
      ({ isSuffix, host, port }) =>
        (isSuffix ? destination.host.endsWith(host) : destination.host === host) &&
        (port === undefined || port === destination.port),
    )
}

/** Where a URL leads, read by the parser that fetch and node:http use too; `undefined` when nowhere we know. */
export function destinationOfUrl(url) {
  if (!URL.canParse(url)) return undefined
  const { protocol, hostname, port } = new URL(url)
  const defaultPort = defaultPorts[protocol]
  return defaultPort === undefined ? undefined : toDestination(hostname, port === '' ? defaultPort : port)
}

/** Where a gRPC target leads (`host:port`, `dns:///host:port`); several addresses or a socket file are nowhere. */
export function destinationOfTarget(target) {
  const [, host, port] = grpcTargetPattern.exec(target) ?? []
  return host === undefined ? undefined : toDestination(host, port ?? 443)
}

/** A host and port as the rules compare them. */
export function toDestination(host, port) {
  const name = host.toLowerCase().replace(/\.$/, '')
  return { host: name.includes(':') && !name.startsWith('[') ? `[${name}]` : name, port: Number(port) }
}

function parseEntry(entry) {
  const [, dot, host, port] = entryPattern.exec(entry.toLowerCase()) ?? []
  // A suffix of one label would be a whole top-level domain; one that ends in digits could match addresses.
  if (host === undefined || (dot === '.' && !suffixPattern.test(host))) {
    throw new AllowListError(
      `allow: expected \`host\`, \`host:port\` or a \`.suffix\` of two labels or more, found \`${entry}\``,
    )
  }
  return { isSuffix: dot === '.', host: dot + host, port: port === undefined ? undefined : Number(port) }
}
