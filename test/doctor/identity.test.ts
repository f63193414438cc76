import { playDoctorTable } from '../support/doctor-table.ts'
import { add, all, change, object, remove } from '../support/healthy-cluster.ts'

const annotation = 'ambient.istio.io/xfcc-include-client-identity'
const gateway = 'Gateway/hospital/waypoint'
const infrastructure = (annotations: object) => change(gateway, { spec: { infrastructure: { annotations } } })
const annotated = (value: string | undefined) =>
  change(gateway, { metadata: { annotations: { [annotation]: value } } })
const metadataListener = { listeners: [{ port: 9191, peer: 'metadata' as const, tls: undefined }] }
const keys = ['peer-principal', 'local-principal', 'authority', 'service']

function envoyFilter(
  overlay: object = {},
  context = 'SIDECAR_INBOUND',
  metadataKeys = keys,
): ReturnType<typeof add> {
  const entries = metadataKeys.map((key) => ({ key: `x-waypoint-${key}`, value: '%FILTER_STATE(…)%' }))
  const patch = { value: { typed_config: { grpc_service: { initial_metadata: entries } } } }
  const targetRefs = [{ kind: 'Gateway', name: 'waypoint' }]
  const spec = { targetRefs, configPatches: [{ match: { context }, patch }], ...overlay }
  return add(object('EnvoyFilter', 'hospital', 'metadata', { spec }))
}

describe('doctor/identity', () => {
  playDoctorTable([
    { name: 'a Gateway without the annotation', mutate: annotated(undefined), want: ['annotation_missing'] },
    { name: 'the annotation as `1`', mutate: annotated('1'), want: ['annotation_value'] },
    { name: 'the annotation as `TRUE`', mutate: annotated('TRUE'), want: [] },
    {
      name: 'the annotation in metadata while infrastructure has others',
      mutate: infrastructure({ team: 'records' }),
      want: ['annotation_ignored'],
    },
    {
      name: 'the annotation in infrastructure alone',
      mutate: all(annotated(undefined), infrastructure({ [annotation]: 'true' })),
      want: [],
    },
    {
      name: 'a wrong value in infrastructure, a right one in metadata',
      mutate: infrastructure({ [annotation]: 'yes' }),
      want: ['annotation_value'],
    },
    {
      name: 'pods from before the annotation',
      mutate: change('Pod/hospital/waypoint-5d8f', { metadata: { annotations: undefined } }),
      want: ['annotation_pending'],
    },
    {
      name: 'a waypoint whose pods were not given',
      mutate: remove('Pod/hospital/waypoint-5d8f'),
      want: [],
    },
    { name: 'metadata without an EnvoyFilter', config: metadataListener, want: ['metadata_missing'] },
    { name: 'metadata with one', config: metadataListener, mutate: envoyFilter(), want: [] },
    {
      name: 'metadata with one, and no annotation',
      config: metadataListener,
      mutate: all(annotated(undefined), envoyFilter()),
      want: [],
    },
    {
      name: 'an EnvoyFilter with a workloadSelector',
      config: metadataListener,
      mutate: envoyFilter({ targetRefs: undefined, workloadSelector: { labels: {} } }),
      want: ['metadata_ignored'],
    },
    {
      name: 'an EnvoyFilter in the context WAYPOINT',
      config: metadataListener,
      mutate: envoyFilter({}, 'WAYPOINT'),
      want: ['metadata_ignored'],
    },
    {
      name: 'an EnvoyFilter that forgets the service',
      config: metadataListener,
      mutate: envoyFilter({}, 'ANY', keys.slice(0, 3)),
      want: ['metadata_ignored'],
    },
    {
      name: 'an EnvoyFilter for another Gateway',
      config: metadataListener,
      mutate: envoyFilter({ targetRefs: [{ kind: 'Gateway', name: 'other' }] }),
      want: ['metadata_missing'],
    },
    {
      name: 'listeners that wait for source.principal',
      config: { listeners: [{ port: 9191, peer: 'principal', tls: undefined }] },
      want: ['peer_principal'],
    },
  ])
})
