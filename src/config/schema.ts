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
    'PEM file of the CA of the waypoints; if set, client certificates are required',
  ),
})

const listener = v.strictObject({
  address: about(
    parsed(parseListenAddress, '127.0.0.1:9191'),
    'IP:port to listen on, such as 127.0.0.1:9191, or unix:// and the path of a socket',
  ),
  socketAccess: about(
    v.optional(choice('owner', 'group')),
    'access to a Unix socket: owner (mode 0600, the default) or group (0660)',
  ),
  peer: about(
    choice('xfcc', 'metadata', 'principal'),
    'the source of the caller: xfcc, metadata or principal',
  ),
  tls: about(v.optional(tls), 'certificates of this listener'),
  plaintext: about(
    v.optional(choice('behind-ztunnel')),
    'confirms that ztunnel guards a port beyond loopback without client certificates',
  ),
  transport: about(
    v.optional(choice('grpc-js', 'lean'), 'grpc-js'),
    'the HTTP/2 server: grpc-js, or lean, which is our own, several times faster and younger',
  ),
  reflection: about(v.optional(flag, false), 'answer gRPC server reflection; grpc-js alone does'),
  maxConcurrentStreams: about(
    v.optional(integer(1, 1_000_000), 1000),
    'maximum number of checks in flight on one connection',
  ),
  maxConnectionAge: about(
    v.optional(duration('1s', '24h'), '10m'),
    'age at which a connection is closed gracefully',
  ),
  maxConnectionAgeGrace: about(
    v.optional(duration('1s', '1h', '30s'), '30s'),
    'time for its last checks to finish',
  ),
})

const chain = v.strictObject({
  issuer: about(httpsUrl, 'https URL that names this Waywarden as `iss` of the chains that it signs'),
  trustDomain: about(trustDomain, 'SPIFFE trust domain whose workloads may act, such as hospital.example'),
  trustDomainAliases: about(
    v.optional(list(trustDomain), []),
    'trust domains that stand for it in the audiences of tokens (`audience: callee`); a caller never has one',
  ),
  header: about(v.optional(headerName, 'actor-chain'), 'request header that carries the chain'),
  keys: about(filePath(), 'directory of the signing keys; `waywarden keys init DIR` creates it'),
  revocations: about(v.optional(filePath()), 'file of revoked actors, users and chains'),
  hopLifetime: about(v.optional(duration('1s', '24h'), '5m'), 'lifetime of the chain of one hop'),
  maxLifetime: about(v.optional(duration('1s', '24h'), '1h'), 'lifetime of the whole chain'),
  ceiling: about(
    v.optional(choice('fixed', 'token'), 'fixed'),
    'end the chain after maxLifetime, or with the access token',
  ),
  maxDepth: about(
    v.optional(integer(1, 8), 4),
    'maximum number of actors in a chain, and of calls of one to itself',
  ),
})

const ingressPeer = v.strictObject({
  id: about(spiffeId, 'SPIFFE ID of a gateway that presents tokens of users'),
  issuers: about(list(userName), 'names of the `users` entries whose tokens it may present'),
})

const ingress = v.strictObject({
  peers: about(v.optional(list(ingressPeer), []), 'the gateways that present tokens of users'),
  forwardAuthorization: about(v.optional(flag, false), 'leave the token of the user on the request'),
  tokenCopies: about(
    v.optional(list(headerName), []),
    'further headers that may carry that token: removed at the first hop, and refused from agents',
  ),
})

const retention = v.strictObject({
  age: about(v.optional(duration('1h', '36500d', '90d')), 'how long a segment is kept after its last record'),
  size: about(
    v.optional(size('1MiB', '999999GiB')),
    'maximum size of all segments of the directory together',
  ),
})

const settings = v.strictObject({
  version: about(
    v.pipe(v.literal(1), v.metadata({ expected: '`1`, the version of this format' })),
    'version of this format: 1',
  ),
  listeners: about(someOf(listener, 'at least one listener'), 'the ports for Envoy, one entry each'),
  admin: about(
    v.optional(
      v.strictObject({ address: about(v.optional(endpoint, '127.0.0.1:9192'), 'IP:port to listen on') }),
      {},
    ),
    'the read-only port for health, metrics and public keys',
  ),
  workers: about(
    v.optional(integer(1, 64), 1),
    'deciding processes behind the same listeners, one for each core',
  ),
  deadline: about(
    v.optional(duration('1ms', '10s', '150ms'), '150ms'),
    'deadline of a check; keep it below the timeout in Envoy',
  ),
  maxInFlight: about(
    v.optional(integer(1, 1_000_000), 1000),
    'maximum number of checks in flight in each worker; more are refused as overloaded',
  ),
  drain: about(
    v.optional(duration('0s', '5m', '5s'), '5s'),
    'time between NOT_SERVING and the end of connections',
  ),
  chain: about(chain, 'the delegation chain'),
  ingress: about(v.optional(ingress, {}), 'where chains begin'),
  users: about(v.optional(list(userIssuerSchema), []), 'identity providers of the users'),
  policy: about(policySchema, 'the policy source: `directory` or `git`'),
  audit: about(
    v.strictObject({
      directory: about(filePath(), 'where decision records are written'),
      mode: about(
        v.optional(choice('written', 'durable', 'buffered'), 'written'),
        'where a record is before its answer is sent: written: in the kernel, durable: on disk, buffered: only in memory, lost in a crash',
      ),
      key: about(
        v.optional(filePath()),
        'file of the Ed25519 key (PEM) that signs checkpoints; by default `log-key` in the directory, created if absent',
      ),
      pseudonyms: about(
        v.optional(filePath()),
        'file with a secret of at least 32 characters: records then name users by a keyed hash of their ids',
      ),
      retention: about(
        v.optional(retention, {}),
        'when segments are removed, oldest first; by default never',
      ),
      stdout: about(v.optional(flag, false), 'print every record to stdout, too'),
      segmentSize: about(v.optional(size('64KiB', '4GiB'), '64MiB'), 'size at which a new file is started'),
    }),
    'the evidence',
  ),
  cache: about(
    v.optional(
      v.strictObject({
        decisions: about(
          v.optional(integer(1, 10_000_000), 20_000),
          'cached policy answers about one principal',
        ),
        chains: about(v.optional(integer(1, 10_000_000), 5000), 'cached chains with verified signatures'),
      }),
      {},
    ),
    'sizes of the caches; times, holders and revocations are never cached',
  ),
  recovery: about(
    v.optional(
      v.strictObject({
        trace: about(v.optional(flag, false), 'find by the trace id of `traceparent`'),
        headers: about(v.optional(list(headerName), []), 'find by these headers, such as `mcp-session-id`'),
        maxChains: about(v.optional(integer(1, 10_000_000), 20_000), 'maximum number of ids in memory'),
        replicas: about(
          v.optional(text),
          'why recovery is safe with several replicas, such as routing by id; if omitted, there must be one',
        ),
      }),
    ),
    'recover the chain of an agent that does not forward the header; policies see it as `recovered`',
  ),
  observe: about(
    v.optional(
      v.strictObject({
        until: about(day, 'day on which enforcement begins'),
        services: about(v.optional(list(text)), 'names of the services to observe; by default all'),
      }),
    ),
    'judge and record, but refuse nothing yet',
  ),
  tracing: about(v.optional(tracingSchema), 'spans of checks by OTLP over HTTP; by default none'),
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
    'the log of operators',
  ),
})

/** The shape of waywarden.yaml: the one source for parsing, environment variables, hints and the JSON Schema. */
export const settingsSchema: v.GenericSchema<unknown, Settings> & SchemaNode = settings
