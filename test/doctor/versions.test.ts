import { playDoctorTable } from '../support/doctor-table.ts'
import type { Overlay } from '../support/healthy-cluster.ts'
import { change, remove } from '../support/healthy-cluster.ts'

const istiod = (container: Overlay) =>
  change('Deployment/istio-system/istiod', { spec: { template: { spec: { containers: [container] } } } })
const proxy = (container: Overlay, labels: Overlay = {}) =>
  change('Pod/hospital/waypoint-5d8f', { metadata: { labels }, spec: { containers: [container] } })
const metadataListener = { listeners: [{ port: 9191, peer: 'principal' as const, tls: undefined }] }

describe('doctor/versions', () => {
  playDoctorTable([
    {
      name: 'istiod 1.29',
      mutate: istiod({ image: 'docker.io/istio/pilot:1.29.9' }),
      want: ['istiod_too_old'],
    },
    { name: 'istiod 1.30.0', mutate: istiod({ image: 'gcr.io:443/istio/pilot:1.30.0-fips' }), want: [] },
    { name: 'a later istiod', mutate: istiod({ image: 'docker.io/istio/pilot:1.31.0-rc.0' }), want: [] },
    {
      name: 'istiod by digest alone',
      mutate: istiod({ image: 'docker.io/istio/pilot@sha256:ab' }),
      want: ['version_unknown'],
    },
    { name: 'no istiod', mutate: remove('Deployment/istio-system/istiod'), want: ['version_unknown'] },
    { name: 'a waypoint 1.29.9', mutate: proxy({ image: 'istio/proxyv2:1.29.9' }), want: ['proxy_too_old'] },
    {
      name: 'a waypoint 1.29.1',
      mutate: proxy({ image: 'istio/proxyv2:1.29.1' }),
      want: ['proxy_mixes_identities', 'proxy_too_old'],
    },
    { name: 'a waypoint 1.30.3', mutate: proxy({ image: 'istio/proxyv2:1.30.3' }), want: ['proxy_outdated'] },
    { name: 'a waypoint 1.31', mutate: proxy({ image: 'istio/proxyv2:1.31.0' }), want: [] },
    {
      name: 'a waypoint that says its version itself',
      mutate: proxy({ image: 'mirror/proxy@sha256:ab', env: [{ name: 'ISTIO_VERSION', value: '1.28.5' }] }),
      want: ['proxy_mixes_identities', 'proxy_too_old'],
    },
    {
      name: 'a waypoint of a revision that is named for its version',
      mutate: proxy({ image: 'mirror/proxy@sha256:ab' }, { 'istio.io/rev': '1-30-4' }),
      want: [],
    },
    {
      name: 'a waypoint of a revision with a name',
      mutate: proxy({ image: 'mirror/proxy@sha256:ab' }, { 'istio.io/rev': 'canary' }),
      want: ['version_unknown'],
    },
    {
      name: 'a waypoint that need not know the annotation',
      config: metadataListener,
      mutate: proxy({ image: 'istio/proxyv2:1.29.2' }),
      want: ['proxy_outdated', 'peer_principal'],
    },
  ])
})
