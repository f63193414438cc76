import * as v from 'valibot'
import type { SchemaNode } from '../base/document/schema.ts'
import {
  about,
  choice,
  duration,
  flag,
  integer,
  list,
  parsed,
  size,
  someOf,
  text,
} from '../base/document/values.ts'
import { parseSpiffeId, parseTrustDomain } from '../base/model/spiffe-id.ts'
import { policySchema } from './policy-schema.ts'
import type { Settings } from './settings.ts'
import { tracingSchema } from './tracing.ts'
import { userIssuerSchema } from './user-issuer-schema.ts'
import { day, filePath, headerName, httpsUrl, parseEndpoint, parseListenAddress, userName } from './values.ts'

const spiffeId = parsed(parseSpiffeId, 'spiffe://hospital.example/ns/billing/sa/agent-a')
const trustDomain = parsed(parseTrustDomain, 'hospital.example')
const endpoint = parsed(parseEndpoint, '127.0.0.1:9191')

const tls = v.strictObject({
  cert: about(filePath(), 'PEM file of the server certificate'),
  key: about(filePath(), 'PEM file of its private key'),
  clientCa: about(
    v.optional(filePath()),
    'PEM file of the CA that signs the waypoints; with it client certificates are required',
  ),
})

const listener = v.strictObject({
  address: about(
    parsed(parseListenAddress, '127.0.0.1:9191'),
    'IP:port to listen on, such as 127.0.0.1:9191, or unix:// and the path of a socket',
  ),
  socketAccess: about(
    v.optional(choice('owner', 'group')),
    'who may connect to a Unix socket: owner (mode 0600, the default) or group (0660)',
  ),
  peer: about(
    choice('xfcc', 'metadata', 'principal'),
    'how this listener learns who calls: xfcc, metadata or principal',
  ),
  tls: about(v.optional(tls), 'certificates of this listener'),
  plaintext: about(
    v.optional(choice('behind-ztunnel')),
    'says that ztunnel guards a port which listens beyond loopback without client certificates',
  ),
  transport: about(
    v.optional(choice('grpc-js', 'lean'), 'grpc-js'),
    'which HTTP/2 serves it: grpc-js, or lean, ours, several times faster and younger',
  ),
  reflection: about(v.optional(flag, false), 'answer gRPC server reflection; grpc-js alone does'),
  maxConcurrentStreams: about(v.optional(integer(1, 1_000_000), 1000), 'checks at once on one connection'),
  maxConnectionAge: about(
    v.optional(duration('1s', '24h'), '10m'),
    'age at which a connection is asked to move on',
  ),
  maxConnectionAgeGrace: about(
    v.optional(duration('1s', '1h', '30s'), '30s'),
    'time that its last checks get to end',
  ),
})

const chain = v.strictObject({
  issuer: about(httpsUrl, 'https URL that names this Waywarden as `iss` of the chains that it signs'),
  trustDomain: about(trustDomain, 'SPIFFE trust domain whose workloads may act, such as hospital.example'),
  header: about(v.optional(headerName, 'actor-chain'), 'request header that carries the chain'),
  keys: about(filePath(), 'directory of the signing keys; `waywarden keys init DIR` creates it'),
  revocations: about(v.optional(filePath()), 'file of revoked actors, users and chains'),
  hopLifetime: about(v.optional(duration('1s', '24h'), '5m'), 'how long one hop may present its chain'),
  maxLifetime: about(v.optional(duration('1s', '24h'), '1h'), 'how long the whole chain lives'),
  ceiling: about(
    v.optional(choice('fixed', 'token'), 'fixed'),
    'end the chain after maxLifetime, or with the access token',
  ),
  maxDepth: about(v.optional(integer(1, 8), 4), 'actors that a chain may name, and calls of one to itself'),
})

const ingressPeer = v.strictObject({
  id: about(spiffeId, 'SPIFFE ID of a gateway that presents tokens of users'),
  issuers: about(list(userName), 'names of the `users` entries whose tokens it may present'),
})

const ingress = v.strictObject({
  peers: about(v.optional(list(ingressPeer), []), 'who speaks for users'),
  forwardAuthorization: about(v.optional(flag, false), 'leave the token of the user on the request'),
  tokenCopies: about(
    v.optional(list(headerName), []),
    'further headers that may carry that token: removed at the first hop, and refused from agents',
  ),
})

const retention = v.strictObject({
  age: about(v.optional(duration('1h', '36500d', '90d')), 'how long after its last record a segment is kept'),
  size: about(v.optional(size('1MiB', '999999GiB')), 'what all segments of the directory may take together'),
})

const settings = v.strictObject({
  version: about(
    v.pipe(v.literal(1), v.metadata({ expected: '`1`, the version of this format' })),
    'version of this format: 1',
  ),
  listeners: about(someOf(listener, 'at least one listener'), 'where Envoy asks, one entry a port'),
  admin: about(
    v.optional(
      v.strictObject({ address: about(v.optional(endpoint, '127.0.0.1:9192'), 'IP:port to listen on') }),
      {},
    ),
    'health, metrics and public keys; nothing can be changed there',
  ),
  workers: about(
    v.optional(integer(1, 64), 1),
    'processes that decide, each on a core of its own, behind the same listeners',
  ),
  deadline: about(
    v.optional(duration('1ms', '10s', '150ms'), '150ms'),
    'time in which a check is answered; keep it below the timeout in Envoy',
  ),
  maxInFlight: about(
    v.optional(integer(1, 1_000_000), 1000),
    'checks at once in each worker; more are refused as overloaded',
  ),
  drain: about(
    v.optional(duration('0s', '5m', '5s'), '5s'),
    'time between NOT_SERVING and the end of connections',
  ),
  chain: about(chain, 'the delegation chain'),
  ingress: about(v.optional(ingress, {}), 'where chains begin'),
  users: about(v.optional(list(userIssuerSchema), []), 'identity providers of the users'),
  policy: about(policySchema, 'where the policies stand: `directory` or `git`'),
  audit: about(
    v.strictObject({
      directory: about(filePath(), 'where decision records are written'),
      mode: about(
        v.optional(choice('written', 'durable', 'buffered'), 'written'),
        'before an answer leaves its record is, written: in the kernel, durable: on the disk, buffered: only in memory, so that a crash loses it',
      ),
      key: about(
        v.optional(filePath()),
        'file of the Ed25519 key (PEM) that signs checkpoints; made as `log-key` in the directory when left out',
      ),
      pseudonyms: about(
        v.optional(filePath()),
        'file with a secret of at least 32 characters: records then name users by a keyed hash of their ids',
      ),
      retention: about(
        v.optional(retention, {}),
        'which segments are removed, oldest first; none when left out',
      ),
      stdout: about(v.optional(flag, false), 'print every record to stdout, too'),
      segmentSize: about(v.optional(size('64KiB', '4GiB'), '64MiB'), 'size at which a new file is begun'),
    }),
    'the evidence',
  ),
  cache: about(
    v.optional(
      v.strictObject({
        decisions: about(
          v.optional(integer(1, 10_000_000), 20_000),
          'answers of the policies about one principal',
        ),
        chains: about(v.optional(integer(1, 10_000_000), 5000), 'chains whose signature has been verified'),
      }),
      {},
    ),
    'how much is remembered; nothing that times, holders or revocations decide',
  ),
  recovery: about(
    v.optional(
      v.strictObject({
        trace: about(v.optional(flag, false), 'find by the trace id of `traceparent`'),
        headers: about(v.optional(list(headerName), []), 'find by these headers, such as `mcp-session-id`'),
        maxChains: about(v.optional(integer(1, 10_000_000), 20_000), 'ids kept in memory'),
        replicas: about(
          v.optional(text),
          'why it is safe with more than one replica, such as how an id always leads to one; left out: there is one',
        ),
      }),
    ),
    'find the chain of an agent again that does not forward the header; policies see it as `recovered`',
  ),
  observe: about(
    v.optional(
      v.strictObject({
        until: about(day, 'day on which enforcement begins'),
        services: about(v.optional(list(text)), 'names of the services to observe; all when left out'),
      }),
    ),
    'judge and record, but refuse nothing yet',
  ),
  tracing: about(v.optional(tracingSchema), 'spans of checks by OTLP over HTTP; none when left out'),
  log: about(
    v.optional(
      v.strictObject({
        level: about(
          v.optional(choice('debug', 'info', 'warn', 'error'), 'info'),
          'least severe message to log',
        ),
      }),
      {},
    ),
    'what operators read',
  ),
})

/** The shape of waywarden.yaml: the one source for parsing, environment variables, hints and the JSON Schema. */
export const settingsSchema: v.GenericSchema<unknown, Settings> & SchemaNode = settings
