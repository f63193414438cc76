import type { Config } from '../config/config.ts'
import { createAdminServer } from './admin/admin-server.ts'
import { decide } from './deciding.ts'

/** A running Waywarden. */
export type App = AsyncDisposable & {
  /** The actual addresses; listeners in the order of the configuration. */
  readonly addresses: { readonly listeners: readonly string[]; readonly admin: string }
  /** Reports NOT_SERVING, waits until Envoy has seen it, and finishes the calls in flight. */
  readonly drain: (signal: string) => Promise<void>
  /** Resolves when no worker can decide and none can be restarted. Without workers it never resolves. */
  readonly failed: Promise<Error>
}

/** Opens everything and starts to serve. Throws if a configured file or port cannot be used. */
export async function startApp(config: Config, pollMs?: number): Promise<App> {
  const deciding = await decide(config, { pollMs })
  try {
    const admin = await createAdminServer({ ...config.admin, ...deciding.shown })
    return {
      addresses: { listeners: deciding.addresses, admin: admin.address },
      drain: deciding.drain,
      failed: new Promise(() => {}),
      async [Symbol.asyncDispose]() {
        await admin[Symbol.asyncDispose]()
        await deciding[Symbol.asyncDispose]()
      },
    }
  } catch (cause) {
    await deciding[Symbol.asyncDispose]()
    throw cause
  }
}
