// The insurance service: like most services inside a mesh it answers every caller.
import { pathOf, serve } from './serve.ts'

serve((request) => {
  const [, patientId] = /^\/coverage\/([\w-]+)$/.exec(pathOf(request)) ?? []
  if (patientId === undefined) return { status: 404, body: '{}' }
  return { status: 200, body: JSON.stringify({ patientId, isCovered: true }) }
})
