import { Socket } from 'node:net'
import { formatBeside } from '../../audit/log/worker-logs.ts'
import type { Config } from '../../config/config.ts'
import type { SocketSource } from '../../envoy/transport.ts'
import { type Deciding, decide } from '../deciding.ts'
import { createRelayedKeys, type RelayedKeys } from './relayed-keys.ts'
import { type Order, parseOrder, type WorkerMessage } from './worker-channel.ts'

type OpenOrder = Extract<Order, { readonly kind: 'open' }>

/** The worker's end of the channel to the primary. */
export type Primary = {
  /** The first order: the worker's number and its configuration; `undefined` if the primary ends before. */
  readonly openOrder: Promise<OpenOrder | undefined>
  /** Resolves when the primary ends or sends `stop`. */
  readonly gone: Promise<undefined>
  readonly send: (message: WorkerMessage) => void
  readonly openFeed: RelayedKeys['openFeed']
  /** Receives all orders after the first. */
  readonly onOrder: (take: (order: Order, socket: Socket | undefined) => void) => void
  readonly disconnect: () => void
}

const stateMs = 2000

/** Returns the channel to the primary; `undefined` if this process is not a worker. */
export function connectToPrimary(): Primary | undefined {
  const { channel, send } = process
  if (channel === undefined || send === undefined) return undefined
  let take = (_order: Order, _socket: Socket | undefined): void => {}
  let onGone = (): void => {}
  const gone = new Promise<undefined>((resolve) => {
    onGone = () => resolve(undefined)
  })
  process.once('disconnect', onGone)
  // Messages to a primary that is gone are dropped.
  const tell: Primary['send'] = (message) =>
    void (process.connected && process.send?.(message, undefined, {}, () => {}))
  const keys = createRelayedKeys(tell)
  const openOrder = new Promise<OpenOrder>((resolve) => {
    process.on('message', (message, handle) => {
      const order = parseOrder(message)
      if (order !== undefined) keys.take(order)
      if (order?.kind === 'open') resolve(order)
      else if (order?.kind === 'stop') onGone()
      else if (order !== undefined) take(order, handle instanceof Socket ? handle : undefined)
    })
  })
  return {
    openOrder: Promise.race([openOrder, gone]),
    gone,
    send: tell,
    openFeed: keys.openFeed,
    onOrder(given) {
      take = given
    },
    disconnect: () => void (process.connected && process.disconnect()),
  }
}

/** Decides until the primary orders a drain or ends. Throws the reason if it cannot start. */
export async function work(config: Config, worker: number, primary: Primary): Promise<'drained' | 'stopped'> {
  const takes = new Map<number, Parameters<SocketSource>[0]>()
  const socketsFor =
    (listener: number): SocketSource =>
    (take) =>
      void takes.set(listener, take)
  const state: { deciding?: Deciding } = {}
  const sendState = () => {
    const shown = state.deciding?.shown
    if (shown !== undefined) primary.send({ kind: 'state', readiness: shown.readiness(), jwks: shown.jwks() })
  }
  const deciding = await decide(config, {
    worker: { number: worker, socketsFor },
    openFeed: primary.openFeed,
    onReadiness: sendState,
  })
  state.deciding = deciding
  const ownLog = formatBeside(deciding.log.name, worker)
  const beating = setInterval(sendState, stateMs)
  try {
    const ordered = new Promise<string>((resolve) => {
      primary.onOrder((order, socket) => {
        if (order.kind === 'connection') serve(socket, takes.get(order.listener), primary)
        else if (order.kind === 'measure') void measure(deciding.shown, primary.send)
        else if (order.kind === 'drain') resolve(order.signal)
        else if (order.kind === 'logs') deciding.log.nameBeside(order.logs.filter((log) => log !== ownLog))
      })
    })
    sendState()
    primary.send({ kind: 'opened', log: ownLog })
    const signal = await Promise.race([ordered, primary.gone])
    if (signal === undefined) return 'stopped'
    await Promise.race([deciding.drain(signal), primary.gone])
    return 'drained'
  } finally {
    clearInterval(beating)
    await deciding[Symbol.asyncDispose]()
  }
}

function serve(
  socket: Socket | undefined,
  take: Parameters<SocketSource>[0] | undefined,
  primary: Primary,
): void {
  primary.send({ kind: 'accepted' })
  if (socket !== undefined && take !== undefined) {
    socket.once('close', () => primary.send({ kind: 'closed' }))
    take(socket)
  } else {
    // The client closed the connection before it arrived.
    primary.send({ kind: 'closed' })
  }
}

/** Sends the metrics if they can be collected. A failure must not end the worker. */
export async function measure(
  { metricsText, report }: Pick<Deciding['shown'], 'metricsText' | 'report'>,
  send: Primary['send'],
): Promise<void> {
  try {
    send({ kind: 'measured', text: await metricsText() })
  } catch (cause) {
    report({ kind: 'fault', where: 'admin', cause })
    send({ kind: 'measured', text: undefined })
  }
}
