import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, join } from 'node:path'
import { stringify } from 'yaml'
import type { Programs } from './programs.ts'

/** Runs a program with the mesh's kubeconfig and PATH. */
export type RunInMesh = (command: string, args: readonly string[]) => Promise<string>

/** Installs the prerequisites of docs/install.md: the Gateway API's CRDs, and Istio in ambient mode from its charts. */
export async function installIstio(
  run: RunInMesh,
  programs: Programs,
  directory: string,
  trustDomain: string,
): Promise<Server> {
  const crds = join(programs.gatewayApi, 'config/crd/standard')
  const files = readdirSync(crds).filter((file) => /^gateway.*\.yaml$/.test(file))
  await run('kubectl', ['apply', '--server-side', ...files.flatMap((file) => ['-f', join(crds, file)])])
  const repository = await serveCharts(run, programs, directory)
  const { port } = repository.address() as AddressInfo
  await run('helm', ['repo', 'add', 'istio', `http://127.0.0.1:${port}`])
  const install = (name: string, chart: string, ...more: readonly string[]): Promise<string> =>
    run('helm', ['install', name, `istio/${chart}`, '--namespace', 'istio-system', ...more])
  await install('istio-base', 'base', '--create-namespace')
  const values = join(directory, 'istiod-values.yaml')
  writeFileSync(values, stringify(istiodValues(programs.versions.istio, trustDomain)))
  await install('istiod', 'istiod', '--values', values)
  const image = ['--set', 'hub=istio', '--set', `tag=${programs.versions.istio}`]
  await install('ztunnel', 'ztunnel', ...image)
  const filter = join(directory, 'plain-envoy.yaml')
  writeFileSync(filter, stringify(plainEnvoy()))
  await run('kubectl', ['apply', '-f', filter])
  return repository
}

/** The bootstrap that pilot-agent renders, without the one extension that only Istio's build of Envoy has. */
export function plainBootstrap(istio: string): string {
  const template = readFileSync(join(istio, 'tools/packaging/common/envoy_bootstrap.json'), 'utf8')
  const plain = template.replace('{{- if .metadata_discovery }}', '{{- if false }}')
  if (plain === template) throw new Error('the bootstrap template of this Istio has no `metadata_discovery`')
  return plain
}

/** A chart repository on loopback, so that `helm upgrade istiod istio/istiod` finds its chart. */
async function serveCharts(
  run: RunInMesh,
  { istio, versions }: Programs,
  directory: string,
): Promise<Server> {
  const folder = join(directory, 'charts')
  mkdirSync(folder, { recursive: true })
  for (const path of ['base', 'istio-control/istio-discovery', 'ztunnel']) {
    const source = join(istio, 'manifests/charts', path)
    const copy = join(directory, 'chart-sources', basename(path))
    cpSync(source, copy, { recursive: true })
    // The module cache is read-only, and so is each copy of it.
    await run('chmod', ['-R', 'u+w', copy])
    const version = ['--version', versions.istio, '--app-version', versions.istio]
    await run('helm', ['package', copy, ...version, '--destination', folder])
  }
  await run('helm', ['repo', 'index', folder])
  const server = createServer((request, response) => {
    const file = join(folder, basename(request.url ?? ''))
    try {
      response.end(readFileSync(file))
    } catch {
      response.writeHead(404).end()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

function istiodValues(version: string, trustDomain: string): object {
  return {
    profile: 'ambient',
    autoscaleEnabled: false,
    global: { hub: 'istio', tag: version },
    // Two features of Istio's own Envoy, which the Envoy here does not have.
    meshConfig: { trustDomain, defaultProviders: { metrics: [] } },
    env: { PILOT_ENABLE_METADATA_EXCHANGE: 'false' },
  }
}

/**
 * Takes out of every waypoint what only Istio's build of Envoy has. `istio.hashable_string` is Envoy's own
 * `envoy.hashable_string` under another name; the rest is telemetry and other networks.
 */
function plainEnvoy(): object {
  const inFilter = (listener: string, subFilter: string): object => ({
    context: 'SIDECAR_INBOUND',
    listener: {
      name: listener,
      filterChain: {
        filter: { name: 'envoy.filters.network.http_connection_manager', subFilter: { name: subFilter } },
      },
    },
  })
  const remove = (listener: string, subFilter: string): object => ({
    applyTo: 'HTTP_FILTER',
    match: inFilter(listener, subFilter),
    patch: { operation: 'REMOVE' },
  })
  const state = (key: string, text: string, isHashed: boolean): object => ({
    object_key: key,
    ...(isHashed ? { factory_key: 'envoy.hashable_string' } : {}),
    format_string: { text_format_source: { inline_string: text } },
    shared_with_upstream: 'ONCE',
  })
  const authority = {
    name: 'connect_authority',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.filters.http.set_filter_state.v3.Config',
      on_request_headers: [
        state('envoy.filters.listener.original_dst.local_ip', '%REQ(:AUTHORITY)%', false),
        state('io.istio.connect_authority', '%REQ(:AUTHORITY)%', true),
        state('envoy.filters.listener.original_dst.remote_ip', '%DOWNSTREAM_REMOTE_ADDRESS%', false),
        state('io.istio.peer_principal', '%DOWNSTREAM_PEER_URI_SAN%', true),
        state('io.istio.local_principal', '%DOWNSTREAM_LOCAL_URI_SAN%', true),
      ],
    },
  }
  return {
    apiVersion: 'networking.istio.io/v1alpha3',
    kind: 'EnvoyFilter',
    metadata: { name: 'plain-envoy', namespace: 'istio-system' },
    spec: {
      priority: -10,
      targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'GatewayClass', name: 'istio-waypoint' }],
      configPatches: [
        remove('connect_terminate', 'waypoint_downstream_peer_metadata'),
        remove('main_internal', 'waypoint_upstream_peer_metadata'),
        {
          applyTo: 'HTTP_FILTER',
          match: inFilter('connect_terminate', 'connect_authority'),
          patch: { operation: 'REPLACE', value: authority },
        },
        {
          applyTo: 'LISTENER',
          match: { context: 'SIDECAR_INBOUND', listener: { name: 'inner_connect_originate' } },
          patch: { operation: 'REMOVE' },
        },
      ],
    },
  }
}
