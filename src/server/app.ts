import type { Config } from '../config/config.ts'
import { createAdminServer } from './admin/admin-server.ts'
import { decide } from './deciding.ts'

/** A running Waywarden. */
export type App = AsyncDisposable & {
  /** What the ports turned out to be; listeners in the order of the configuration. */
  readonly addresses: { readonly listeners: readonly string[]; readonly admin: string }
  /** Says NOT_SERVING, waits until Envoy has heard it, and finishes what is in flight. */
  readonly drain: (signal: string) => Promise<void>
  /** Resolves when what decides behind it is gone and cannot be started again; never for one that decides itself. */
  readonly failed: Promise<Error>
}

/** Opens every room and begins to answer; throws when a file or port that the configuration names cannot be used. */
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
