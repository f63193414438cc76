import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from '../../demo/ports.ts'
import type { Processes, Program, Running } from '../../demo/processes.ts'
// biome-ignore lint/correctness/useImportExtensions: the rule takes the file for its type declarations
import { findEnvoy } from '../envoy-binary.mjs'

/** A port of Envoy, and the port that its ext_authz filter asks; `undefined` for the same way without the filter. */
export type Lane = { readonly name: string; readonly port: number; readonly asks: number | undefined }

// The cluster's name becomes the `:authority` of its calls, in which a space would be refused.
const clusterOf = (name: string) => name.replaceAll(' ', '-')

const type = 'type.googleapis.com/envoy.extensions'
const http2 = {
  'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
    '@type': `${type}.upstreams.http.v3.HttpProtocolOptions`,
    explicit_http_config: { http2_protocol_options: {} },
  },
}

/** Starts an Envoy with one worker thread that answers every allowed request itself, one lane for each server. */
export async function startEnvoy(
  processes: Processes,
  directory: string,
  lanes: readonly Lane[],
): Promise<Running> {
  const command = findEnvoy()
  if (command === undefined) throw new Error('expected an Envoy: `node scripts/set-up.mjs` installs it')
  const [adminPort = 0] = await freePorts(1)
  const bootstrap = join(directory, 'envoy.json')
  writeFileSync(bootstrap, JSON.stringify(toBootstrap(adminPort, lanes)))
  const program: Program = {
    name: 'envoy',
    command,
    args: ['-c', bootstrap, '--concurrency', '1', '--log-level', 'error', '--base-id', `${adminPort}`],
    readyUrl: `http://127.0.0.1:${adminPort}/ready`,
  }
  return processes.start(program)
}

function toBootstrap(adminPort: number, lanes: readonly Lane[]): object {
  return {
    admin: { address: toAddress(adminPort) },
    static_resources: {
      listeners: lanes.map(toListener),
      clusters: lanes.flatMap(({ name, asks }) =>
        asks === undefined ? [] : [toCluster(clusterOf(name), asks)],
      ),
    },
  }
}

function toListener({ name, port, asks }: Lane): object {
  const filters = asks === undefined ? [] : [toExtAuthz(clusterOf(name))]
  const manager = {
    '@type': `${type}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: name,
    codec_type: 'AUTO',
    // The load client sends what the first filter of a waypoint would add.
    forward_client_cert_details: 'ALWAYS_FORWARD_ONLY',
    route_config: {
      virtual_hosts: [
        {
          name,
          domains: ['*'],
          routes: [{ match: { prefix: '/' }, direct_response: { status: 200 } }],
        },
      ],
    },
    http_filters: [
      ...filters,
      {
        name: 'envoy.filters.http.router',
        typed_config: { '@type': `${type}.filters.http.router.v3.Router` },
      },
    ],
  }
  const filter = { name: 'envoy.filters.network.http_connection_manager', typed_config: manager }
  return { name, address: toAddress(port), filter_chains: [{ filters: [filter] }] }
}

function toExtAuthz(cluster: string): object {
  return {
    name: 'envoy.filters.http.ext_authz',
    typed_config: {
      '@type': `${type}.filters.http.ext_authz.v3.ExtAuthz`,
      transport_api_version: 'V3',
      grpc_service: { timeout: '5s', envoy_grpc: { cluster_name: cluster } },
    },
  }
}

function toCluster(name: string, port: number): object {
  const endpoint = { endpoint: { address: toAddress(port) } }
  return {
    name,
    type: 'STATIC',
    connect_timeout: '2s',
    typed_extension_protocol_options: http2,
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [endpoint] }] },
  }
}

function toAddress(port: number): object {
  return { socket_address: { address: '127.0.0.1', port_value: port } }
}
