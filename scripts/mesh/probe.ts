import { get } from 'node:http'
import type { ContainerObject, ProbeObject } from './pod-object.ts'

/** Whether an HTTP probe succeeds. Probes of other kinds, which no pod of the test mesh has, count as fulfilled. */
export function isAnswering(
  address: string,
  container: ContainerObject,
  probe: ProbeObject,
): Promise<boolean> {
  const { httpGet, timeoutSeconds = 1 } = probe
  if (httpGet === undefined) return Promise.resolve(true)
  const { path = '/', port: asked } = httpGet
  const port =
    typeof asked === 'number' ? asked : container.ports?.find(({ name }) => name === asked)?.containerPort
  const options = { host: address, port, path, agent: false as const, timeout: timeoutSeconds * 1000 }
  return new Promise((resolve) => {
    const request = get(options, (response) => {
      response.resume()
      resolve((response.statusCode ?? 0) >= 200 && (response.statusCode ?? 0) < 400)
    })
    request.on('error', () => resolve(false))
    request.on('timeout', () => request.destroy())
  })
}
