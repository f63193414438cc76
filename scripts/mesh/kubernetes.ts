import { Agent, type RequestOptions, request } from 'node:https'
import { createInterface } from 'node:readline'

/** An object of the API server, as far as the node reads it. The server has validated it. */
export type KubeObject = {
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly uid?: string
    readonly resourceVersion?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
    readonly deletionTimestamp?: string
    readonly deletionGracePeriodSeconds?: number
  }
}

export type KubeList<T> = {
  readonly metadata: { readonly resourceVersion: string }
  readonly items: readonly T[]
}

export type WatchEvent<T> = { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }

/** How to reach an API server. */
export type ApiAccess = {
  readonly host: string
  readonly port: number
  readonly ca: string
  readonly token: string
}

/** The API server answered with an error. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly code: number

  constructor(what: string, code: number, answer: string) {
    super(`${what}: ${code} ${answer.slice(0, 400).trim()}`)
    this.code = code
  }
}

/** A client of the API server: requests, and lists that follow changes. */
export class Api {
  readonly #access: ApiAccess
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 16 })

  constructor(access: ApiAccess) {
    this.#access = access
  }

  get<T>(path: string): Promise<T> {
    return this.#send('GET', path) as Promise<T>
  }

  post<T>(path: string, body: unknown): Promise<T> {
    return this.#send('POST', path, body) as Promise<T>
  }

  patch<T>(path: string, body: unknown): Promise<T> {
    return this.#send('PATCH', path, body, 'application/merge-patch+json') as Promise<T>
  }

  delete(path: string): Promise<unknown> {
    return this.#send('DELETE', path)
  }

  /**
   * Lists a collection, then reports each change of it until `signal` ends it. After a broken connection it lists
   * again, and `onList` replaces all that is known.
   */
  async follow<T>(
    path: string,
    onList: (items: readonly T[]) => void,
    onEvent: (event: WatchEvent<T>) => void,
    signal: AbortSignal,
  ): Promise<void> {
    while (!signal.aborted) {
      try {
        const list = await this.get<KubeList<T>>(path)
        onList(list.items)
        await this.#watch(`${path}?watch=1&resourceVersion=${list.metadata.resourceVersion}`, onEvent, signal)
      } catch (error) {
        if (!signal.aborted) console.error(`watch ${path}: ${String(error)}`)
        await new Promise((resolve) => setTimeout(resolve, 500))
      }
    }
  }

  close(): void {
    this.#agent.destroy()
  }

  #options(method: string, path: string, type?: string): RequestOptions {
    const { host, port, ca, token } = this.#access
    const headers = {
      authorization: `Bearer ${token}`,
      ...(type === undefined ? {} : { 'content-type': type }),
    }
    return { host, port, ca, servername: 'localhost', method, path, headers, agent: this.#agent }
  }

  #send(method: string, path: string, body?: unknown, type = 'application/json'): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const options = this.#options(method, path, body === undefined ? undefined : type)
      const sent = request({ ...options, timeout: 30_000 }, (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => {
          text += chunk
        })
        response.on('end', () => {
          const { statusCode = 0 } = response
          // Health checks answer in words.
          if (statusCode < 300) resolve(text.startsWith('{') ? JSON.parse(text) : text)
          else reject(new ApiError(`${method} ${path}`, statusCode, text))
        })
      })
      sent.on('error', reject)
      sent.on('timeout', () => sent.destroy(new Error(`${method} ${path}: no answer within 30 s`)))
      sent.end(body === undefined ? undefined : JSON.stringify(body))
    })
  }

  #watch<T>(path: string, onEvent: (event: WatchEvent<T>) => void, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const options = { ...this.#options('GET', path), agent: false as const, signal }
      request(options, (response) => {
        if (response.statusCode !== 200)
          return reject(new ApiError(`GET ${path}`, response.statusCode ?? 0, ''))
        const lines = createInterface({ input: response })
        lines.on('line', (line) => {
          const event = JSON.parse(line) as WatchEvent<T> | { readonly type: 'ERROR' }
          // The server has forgotten our version: list again.
          if (event.type === 'ERROR') response.destroy()
          else onEvent(event)
        })
        lines.on('close', resolve)
        // The interface passes on what breaks the response.
        lines.on('error', () => resolve())
      })
        .on('error', reject)
        .end()
    })
  }
}
