import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'

/** The user interface, through which users log in. */
const client = { azp: 'hospital-ui', client_id: 'hospital-ui' }

/** The users of the hospital's identity provider. */
export type User = { readonly id: string; readonly groups: readonly string[] }

/** A throwaway identity provider: what Keycloak or Entra is to a company. */
export type Idp = {
  readonly jwksFile: string
  /** An access token (RFC 9068) for a user, meant for `audience`. */
  readonly issueToken: (user: User, audience: string) => Promise<string>
}

/** The issuer that Waywarden and patient-records trust. */
export const idpIssuer = 'https://idp.hospital.example/realms/hospital'

/** The audience of the user interface's tokens. */
export const agentsAudience = 'hospital-agents'

/** The audience of a token for the records service itself. */
export const recordsAudience = 'patient-records'

export const clerk: User = { id: 'clerk', groups: ['billing', 'staff'] }
export const clinician: User = { id: 'clinician', groups: ['clinicians', 'staff'] }

/** Creates an identity provider and writes its public keys to a file. */
export async function createIdp(jwksFile: string): Promise<Idp> {
  const kid = 'idp-1'
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const jwk = { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' }
  writeFileSync(jwksFile, JSON.stringify({ keys: [jwk] }))
  return {
    jwksFile,
    issueToken: (user, audience) =>
      new SignJWT({ ...client, typ: 'Bearer', sid: randomUUID(), groups: user.groups, scope: 'openid' })
        .setProtectedHeader({ alg: 'ES256', kid, typ: 'at+jwt' })
        .setIssuer(idpIssuer)
        .setSubject(user.id)
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime('1h')
        .setJti(randomUUID())
        .sign(privateKey),
  }
}
