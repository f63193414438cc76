import { expect } from 'chai'
import { toMs } from '../../src/doctor/cluster/mesh.ts'
import { playDoctorTable } from '../support/doctor-table.ts'
import { all, change, changeProvider, fromWaypoint, remove } from '../support/healthy-cluster.ts'

const grpc = (fields: object) => changeProvider({ envoyExtAuthzGrpc: fields })

describe('doctor/provider', () => {
  playDoctorTable([
    {
      name: 'no mesh configuration',
      mutate: remove('ConfigMap/istio-system/istio'),
      want: ['provider_missing'],
    },
    {
      name: 'a mesh configuration that does not parse',
      mutate: change('ConfigMap/istio-system/istio', { data: { mesh: 'extensionProviders: [' } }),
      want: ['provider_missing'],
    },
    {
      name: 'an HTTP provider of our name',
      mutate: changeProvider({ envoyExtAuthzGrpc: undefined, envoyExtAuthzHttp: {} }),
      want: ['provider_missing'],
    },
    {
      name: 'a name that Istio refuses',
      mutate: all(
        changeProvider({ name: 'Way_Warden' }),
        change('AuthorizationPolicy/hospital/ask-waywarden', { spec: { provider: { name: 'Way_Warden' } } }),
      ),
      want: ['provider_name'],
    },
    {
      name: 'another name in the policy',
      mutate: change('AuthorizationPolicy/hospital/ask-waywarden', {
        spec: { provider: { name: 'waywarde' } },
      }),
      want: ['provider_unknown'],
    },
    { name: 'fail open', mutate: grpc({ failOpen: true }), want: ['fail_open'] },
    { name: 'no timeout', mutate: grpc({ timeout: undefined }), want: ['timeout_missing'] },
    { name: 'a timeout of 1.5 s', mutate: grpc({ timeout: '1.5s' }), want: ['timeout_long'] },
    { name: 'a timeout of 1 s', mutate: grpc({ timeout: '1s' }), want: [] },
    {
      name: "a timeout below Waywarden's deadline",
      mutate: grpc({ timeout: '150ms' }),
      want: ['timeout_short'],
    },
    {
      name: 'a status that means success',
      mutate: grpc({ statusOnError: '200' }),
      want: ['status_on_error'],
    },
    {
      name: 'a status that is none',
      mutate: grpc({ statusOnError: 'Forbidden' }),
      want: ['status_on_error'],
    },
    { name: 'the default status', mutate: grpc({ statusOnError: undefined }), want: [] },
    { name: 'another port', mutate: grpc({ port: 9000 }), want: ['provider_service'] },
    {
      name: 'a port that leads to no listener',
      config: { listeners: [{ port: 9195, address: '0.0.0.0', peer: 'xfcc', tls: undefined }] },
      mutate: change('AuthorizationPolicy/waywarden/waywarden', {
        spec: { rules: [{ ...fromWaypoint(), to: [{ operation: { ports: ['9191', '9195'] } }] }] },
      }),
      want: ['provider_port'],
    },
    {
      name: 'a port of which only the machine itself reaches the listener',
      config: { listeners: [{ port: 9191, address: '127.0.0.1', peer: 'xfcc', tls: undefined }] },
      want: ['provider_port'],
    },
    {
      name: 'a port that leads by its name to a listener',
      mutate: all(
        change('Service/waywarden/waywarden', { spec: { ports: [{ port: 9191, targetPort: 'grpc' }] } }),
        change('Deployment/waywarden/waywarden', {
          spec: {
            template: {
              spec: { containers: [{ image: 'waywarden', ports: [{ name: 'grpc', containerPort: 9191 }] }] },
            },
          },
        }),
      ),
      want: [],
    },
    {
      name: 'no pod at all',
      mutate: change('Deployment/waywarden/waywarden', { spec: { replicas: 0 } }),
      want: ['no_replicas'],
    },
    {
      name: 'another Service',
      mutate: grpc({ service: 'waywarden.elsewhere.svc.cluster.local' }),
      want: ['provider_service'],
    },
    {
      name: 'the Service with its namespace first',
      mutate: grpc({ service: 'x/waywarden.waywarden.svc' }),
      want: [],
    },
    {
      name: 'a headless Service',
      mutate: change('Service/waywarden/waywarden', { spec: { clusterIP: 'None' } }),
      want: ['provider_service'],
    },
  ])

  it('reads durations as Go writes them', () => {
    expect(['250ms', '0.5s', '1m30s', '600s', '1d', '', '5'].map(toMs)).to.deep.equal([
      250,
      500,
      90_000,
      600_000,
      undefined,
      undefined,
      undefined,
    ])
  })
})
