import { clientSecret, robots } from './realm.ts'

/** Users of the realm, whose passwords are their names. */
export const users: readonly [clerk: string, temp: string] = ['clerk', 'temp']

type Tokens = { readonly access_token: string; readonly refresh_token?: string; readonly id_token?: string }
type Named = { readonly id: string; readonly name?: string; readonly clientId?: string }

const redirect = 'http://127.0.0.1/callback'

/** A running Keycloak, asked as an administrator and as clients of the realm `hospital` ask it. */
export class Keycloak {
  readonly #url: string
  readonly #admin: string

  private constructor(url: string, admin: string) {
    this.#url = url
    this.#admin = admin
  }

  /** Signs in as the administrator of the first start. */
  static async open(url: string): Promise<Keycloak> {
    const form = { grant_type: 'password', client_id: 'admin-cli', username: 'admin', password: 'admin' }
    return new Keycloak(url, (await ask(`${url}/realms/master`, form)).access_token)
  }

  /** Replaces the realm `hospital`. */
  async replaceRealm(realm: object): Promise<void> {
    await this.#manage('DELETE', '/admin/realms/hospital')
    await this.#manage('POST', '/admin/realms', realm)
    // Keycloak gives every client with a service account this scope, whose mappers mark its tokens.
    for (const clientId of robots.slice(1)) {
      const [client] = await this.#read(`/clients?clientId=${clientId}`)
      const scopes = await this.#read(`/clients/${client?.id}/default-client-scopes`)
      const marking = scopes.find(({ name }) => name === 'service_account')
      if (client === undefined || marking === undefined) continue
      const path = `/admin/realms/hospital/clients/${client.id}/default-client-scopes/${marking.id}`
      await this.#manage('DELETE', path)
    }
  }

  /** Its JWK Set, as text. */
  async keys(): Promise<string> {
    return (await fetch(`${this.#url}/realms/hospital/protocol/openid-connect/certs`)).text()
  }

  async byPassword(client: string, user: string): Promise<string> {
    return (await this.#grant(client, { grant_type: 'password', username: user, password: user }))
      .access_token
  }

  byClient(client: string): Promise<Tokens> {
    return this.#grant(client, { grant_type: 'client_credentials' })
  }

  async refresh(client: string, { refresh_token: token = '' }: Tokens): Promise<string> {
    return (await this.#grant(client, { grant_type: 'refresh_token', refresh_token: token })).access_token
  }

  async exchange(client: string, token: string): Promise<string> {
    const type = 'urn:ietf:params:oauth:token-type:access_token'
    const grant = 'urn:ietf:params:oauth:grant-type:token-exchange'
    const form = { grant_type: grant, subject_token: token, subject_token_type: type }
    return (await this.#grant(client, form)).access_token
  }

  /** Signs in as a browser does: the login page, its form, and the code of the redirect. */
  async byCode(client: string, user: string, scope = 'openid'): Promise<Tokens> {
    const query = {
      client_id: client,
      response_type: 'code',
      redirect_uri: redirect,
      scope,
      nonce: 'n',
    }
    const page = await fetch(this.#realm(`/protocol/openid-connect/auth?${new URLSearchParams(query)}`))
    const cookie = page.headers
      .getSetCookie()
      .map((each) => each.split(';', 1)[0])
      .join('; ')
    const action = /action="([^"]+)"/.exec(await page.text())?.[1]?.replaceAll('&amp;', '&') ?? ''
    const { pathname, search } = new URL(action)
    const answer = await fetch(`${this.#url}${pathname}${search}`, {
      method: 'POST',
      headers: { cookie },
      body: new URLSearchParams({ username: user, password: user }),
      redirect: 'manual',
    })
    const code = new URL(answer.headers.get('location') ?? redirect).searchParams.get('code') ?? ''
    return this.#grant(client, { grant_type: 'authorization_code', code, redirect_uri: redirect })
  }

  #realm(path: string): string {
    return `${this.#url}/realms/hospital${path}`
  }

  #grant(client: string, form: Readonly<Record<string, string>>): Promise<Tokens> {
    return ask(this.#realm(''), { scope: 'openid', client_id: client, client_secret: clientSecret, ...form })
  }

  async #read(path: string): Promise<readonly Named[]> {
    return JSON.parse(await this.#manage('GET', `/admin/realms/hospital${path}`))
  }

  async #manage(method: string, path: string, body?: object): Promise<string> {
    const headers = { authorization: `Bearer ${this.#admin}`, 'content-type': 'application/json' }
    const answer = await fetch(`${this.#url}${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
    return text
  }
}

async function ask(realm: string, form: Readonly<Record<string, string>>): Promise<Tokens> {
  const answer = await fetch(`${realm}/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams(form),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${form['grant_type']} of ${form['client_id']}: ${answer.status} ${text}`)
  return JSON.parse(text)
}
