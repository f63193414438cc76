// The records service, written with care: it wants a token of the hospital's identity provider that names it as audience.
// It cannot see who carries the token.
import { readFileSync } from 'node:fs'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { idpIssuer, recordsAudience } from '../idp.ts'
import { header, pathOf, serve } from './serve.ts'

const keys = createLocalJWKSet(JSON.parse(readFileSync(process.env['JWKS'] ?? '', 'utf8')) as JSONWebKeySet)

serve(async (request) => {
  const [, token = ''] = /^Bearer (\S+)$/.exec(header(request, 'authorization') ?? '') ?? []
  if (!(await isAccepted(token)))
    return { status: 401, headers: { 'www-authenticate': 'Bearer' }, body: '{}' }
  const [, patientId] = /^\/patients\/([\w-]+)$/.exec(pathOf(request)) ?? []
  if (patientId === undefined) return { status: 404, body: '{}' }
  return { status: 200, body: JSON.stringify({ patientId, diagnosis: 'fractured wrist' }) }
})

async function isAccepted(token: string): Promise<boolean> {
  return jwtVerify(token, keys, { issuer: idpIssuer, audience: recordsAudience }).then(
    () => true,
    () => false,
  )
}
