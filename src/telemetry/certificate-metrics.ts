import { Gauge, type Registry } from 'prom-client'

/** Metrics of certificates' expiry, for alerts. */
export type CertificateMetrics = {
  /** Times are milliseconds since the epoch. */
  readonly certificateRead: (
    listener: string,
    what: 'cert' | 'clientCa',
    times: { readonly expiresMs: number; readonly renewalDueMs: number },
  ) => void
}

/** Creates gauges for each listener with TLS. */
export function createCertificateMetrics(registry: Registry): CertificateMetrics {
  const labelNames = ['listener', 'what']
  const registers = [registry]
  const expires = new Gauge({
    name: 'waywarden_certificate_expires_timestamp_seconds',
    help: 'Expiry of the certificate of a listener, or of the last of its client CAs, in seconds since the epoch',
    labelNames,
    registers,
  })
  const due = new Gauge({
    name: 'waywarden_certificate_renewal_due_timestamp_seconds',
    help: 'When the certificate should be renewed (a third of its lifetime left), in seconds since the epoch',
    labelNames,
    registers,
  })
  return {
    certificateRead(listener, what, { expiresMs, renewalDueMs }) {
      expires.set({ listener, what }, expiresMs / 1000)
      due.set({ listener, what }, renewalDueMs / 1000)
    },
  }
}
