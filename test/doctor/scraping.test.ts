import { expect } from 'chai'
import { playDoctorTable } from '../support/doctor-table.ts'
import { examine } from '../support/examined.ts'
import { add, all, change, deployment, object, policy, remove } from '../support/healthy-cluster.ts'

const guard = 'AuthorizationPolicy/billing/only-waypoint'
const scraped = (port: string | undefined = '9090') =>
  change('Deployment/billing/billing-agent', {
    spec: {
      template: {
        metadata: {
          annotations: {
            'prometheus.io/scrape': 'true',
            ...(port === undefined ? {} : { 'prometheus.io/port': port }),
          },
        },
      },
    },
  })
const prometheus = (
  labels: Readonly<Record<string, string>> = {},
  image = 'quay.io/prometheus/prometheus:v3.8.0',
) =>
  add(
    object('Namespace', '', 'monitoring', {}, labels),
    deployment('monitoring', 'prometheus', { app: 'prometheus' }, 'prometheus', { image }),
  )
const ambient = { 'istio.io/dataplane-mode': 'ambient' }
const allowing = (source: object, ports = ['9090']) =>
  add(
    policy('billing', 'scraping', {
      action: 'ALLOW',
      rules: [{ from: [{ source }], to: [{ operation: { ports } }] }],
    }),
  )
const permissive = (port: string) =>
  add(
    object('PeerAuthentication', 'billing', 'scraping', {
      spec: {
        selector: { matchLabels: { app: 'billing-agent' } },
        mtls: { mode: 'STRICT' },
        portLevelMtls: { [port]: { mode: 'PERMISSIVE' } },
      },
    }),
  )

describe('doctor/scraping', () => {
  playDoctorTable([
    {
      name: 'a Prometheus outside of the mesh',
      mutate: all(scraped(), prometheus()),
      want: ['guard_cuts_off_scraping'],
    },
    {
      name: 'a Prometheus in the mesh',
      mutate: all(scraped(), prometheus(ambient)),
      want: ['guard_cuts_off_scraping'],
    },
    { name: 'pods that nobody is to scrape', mutate: prometheus(), want: [] },
    { name: 'nobody who scrapes', mutate: scraped(), want: [] },
    {
      name: 'another scraper, by the port of its container',
      mutate: all(scraped(undefined), prometheus({}, 'docker.io/grafana/alloy:v1')),
      want: ['guard_cuts_off_scraping'],
    },
    {
      name: "Grafana's agent",
      mutate: all(scraped(), prometheus({}, 'docker.io/grafana/agent:v0.44.2')),
      want: ['guard_cuts_off_scraping'],
    },
    {
      name: 'an agent of ours, which scrapes nothing',
      mutate: all(scraped(), prometheus({}, 'registry.example/billing/agent:1.0')),
      want: [],
    },
    {
      name: "Prometheus' operator, which scrapes nothing",
      mutate: all(scraped(), prometheus({}, 'quay.io/prometheus-operator/prometheus-operator:v0.80.0')),
      want: [],
    },
    {
      name: 'a rule for the namespace of a Prometheus in the mesh',
      mutate: all(scraped(), prometheus(ambient), allowing({ namespaces: ['monitoring'] })),
      want: [],
    },
    {
      name: 'a rule for the account of a Prometheus in the mesh',
      mutate: all(
        scraped(),
        prometheus(ambient),
        allowing({ principals: ['*/ns/monitoring/sa/prometheus'] }),
      ),
      want: [],
    },
    {
      name: 'a rule for the namespace of a Prometheus that proves none',
      mutate: all(scraped(), prometheus(), permissive('9090'), allowing({ namespaces: ['monitoring'] })),
      want: ['guard_cuts_off_scraping'],
    },
    {
      name: 'a rule for those without identity, and a port that takes plaintext',
      mutate: all(scraped(), prometheus(), permissive('9090'), allowing({ notPrincipals: ['*'] })),
      want: [],
    },
    {
      name: 'a rule for those without identity, and a port that wants mutual TLS',
      mutate: all(scraped(), prometheus(), allowing({ notPrincipals: ['*'] })),
      want: ['guard_cuts_off_scraping'],
    },
    {
      name: 'a rule for another port',
      mutate: all(scraped(), prometheus(ambient), allowing({ namespaces: ['monitoring'] }, ['9091'])),
      want: ['guard_cuts_off_scraping'],
    },
    {
      name: 'a namespace without a guard',
      mutate: all(scraped(), prometheus(ambient), remove(guard), remove('PeerAuthentication/billing/strict')),
      want: ['bypass_open', 'mtls_not_strict'],
    },
  ])

  it('prints a policy with which the doctor is satisfied', () => {
    const [outside] = examine({ mutate: all(scraped(), prometheus()) })
    expect(outside?.fix).to.include('notPrincipals: ["*"]').and.include('"9090": {mode: PERMISSIVE}')
    const [inside] = examine({ mutate: all(scraped(), prometheus(ambient)) })
    expect(inside?.fix).to.include('namespaces: [monitoring]').and.not.include('PERMISSIVE')
  })
})
