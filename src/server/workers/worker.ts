import { Socket } from 'node:net'
import { formatBeside } from '../../audit/log/worker-logs.ts'
import type { Config } from '../../config/config.ts'
import type { Handed } from '../../envoy/transport.ts'
import { type Deciding, decide } from '../deciding.ts'
import { type News, type Order, parseOrder } from './worker-channel.ts'

type Opening = Extract<Order, { readonly kind: 'open' }>

/** The other end of the channel on which a worker is told what to do. */
export type Primary = {
  /** The first order: which worker this is, and by which configuration; `undefined` when the primary is gone before. */
  readonly opening: Promise<Opening | undefined>
  /** Resolves when the primary is gone, or says to be. */
  readonly gone: Promise<undefined>
  readonly tell: (news: News) => void
  /** Takes what comes after the first order. */
  readonly onOrder: (take: (order: Order, socket: Socket | undefined) => void) => void
  readonly leave: () => void
}

const stateMs = 2000

/** The channel to the primary that started this process; `undefined` if it is no worker. */
export function connectToPrimary(): Primary | undefined {
  const { channel, send } = process
  if (channel === undefined || send === undefined) return undefined
  let take = (_order: Order, _socket: Socket | undefined): void => {}
  let leave = (): void => {}
  const gone = new Promise<undefined>((resolve) => {
    leave = () => resolve(undefined)
  })
  process.once('disconnect', leave)
  const opening = new Promise<Opening>((resolve) => {
    process.on('message', (message, handle) => {
      const order = parseOrder(message)
      if (order?.kind === 'open') resolve(order)
      else if (order?.kind === 'leave') leave()
      else if (order !== undefined) take(order, handle instanceof Socket ? handle : undefined)
    })
  })
  return {
    opening: Promise.race([opening, gone]),
    gone,
    // What a primary that is gone does not hear concerns nobody.
    tell: (news) => void (process.connected && process.send?.(news, undefined, {}, () => {})),
    onOrder(given) {
      take = given
    },
    leave: () => void (process.connected && process.disconnect()),
  }
}

/** Decides for the primary until it says to drain, or is gone. Throws what keeps it from starting. */
export async function work(config: Config, worker: number, primary: Primary): Promise<'drained' | 'left'> {
  const takes = new Map<number, Parameters<Handed>[0]>()
  const handedTo =
    (listener: number): Handed =>
    (take) =>
      void takes.set(listener, take)
  const state: { deciding?: Deciding } = {}
  const tellState = () => {
    const shown = state.deciding?.shown
    if (shown !== undefined) primary.tell({ kind: 'state', readiness: shown.readiness(), jwks: shown.jwks() })
  }
  const deciding = await decide(config, { worker: { number: worker, handedTo }, onReadiness: tellState })
  state.deciding = deciding
  const ownLog = formatBeside(deciding.log.name, worker)
  const beating = setInterval(tellState, stateMs)
  try {
    const ordered = new Promise<string>((resolve) => {
      primary.onOrder((order, socket) => {
        if (order.kind === 'connection') serve(socket, takes.get(order.listener), primary)
        else if (order.kind === 'measure') void measure(deciding.shown, primary.tell)
        else if (order.kind === 'drain') resolve(order.signal)
        else if (order.kind === 'logs') deciding.log.nameBeside(order.logs.filter((log) => log !== ownLog))
      })
    })
    tellState()
    primary.tell({ kind: 'opened', log: ownLog })
    const signal = await Promise.race([ordered, primary.gone])
    if (signal === undefined) return 'left'
    await Promise.race([deciding.drain(signal), primary.gone])
    return 'drained'
  } finally {
    clearInterval(beating)
    await deciding[Symbol.asyncDispose]()
  }
}

function serve(socket: Socket | undefined, take: Parameters<Handed>[0] | undefined, primary: Primary): void {
  primary.tell({ kind: 'taken' })
  if (socket !== undefined && take !== undefined) {
    socket.once('close', () => primary.tell({ kind: 'left' }))
    take(socket)
  } else {
    // Its client was gone before it came here.
    primary.tell({ kind: 'left' })
  }
}

/** Answers with the metrics, if they can be had: who decides does not end for want of them. */
export async function measure(
  { metricsText, report }: Pick<Deciding['shown'], 'metricsText' | 'report'>,
  tell: Primary['tell'],
): Promise<void> {
  try {
    tell({ kind: 'measured', text: await metricsText() })
  } catch (cause) {
    report({ kind: 'fault', where: 'admin', cause })
    tell({ kind: 'measured', text: undefined })
  }
}
