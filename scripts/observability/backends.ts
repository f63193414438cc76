import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Program } from '../../demo/processes.ts'

/** A span as a backend gives it back. */
export type SeenSpan = {
  readonly spanId: string
  readonly parentId: string | undefined
  readonly name: string
  readonly attributes: Readonly<Record<string, unknown>>
  /** By what the backend's own pages name it. */
  readonly pageId: string
}

/** Somewhere that people look at traces. */
export type Backend = {
  readonly name: 'phoenix' | 'mlflow'
  readonly requirement: string
  /** How it is started, with all that it keeps in `directory`. */
  readonly program: (bin: string, port: number, directory: string) => Program
  /** The spans of a transaction, asked for by the backend's own API; none while it knows none. */
  readonly spansOf: (base: string, project: string, txn: string) => Promise<readonly SeenSpan[]>
  /** Where a person sees a span in its trace. */
  readonly page: (base: string, project: string, txn: string, span: SeenSpan) => Promise<string>
}

const startWithinMs = 180_000
const traceIdOf = (txn: string) => txn.replaceAll('-', '')

const phoenix: Backend = {
  name: 'phoenix',
  requirement: 'arize-phoenix==20.26.1',
  program: (bin, port, directory) => ({
    name: 'phoenix',
    command: join(bin, 'phoenix'),
    args: ['serve'],
    env: {
      PHOENIX_HOST: '127.0.0.1',
      PHOENIX_PORT: String(port),
      // Any free port: nobody sends by gRPC.
      PHOENIX_GRPC_PORT: '0',
      PHOENIX_WORKING_DIR: makeDirectory(directory, 'phoenix'),
      PHOENIX_TELEMETRY_ENABLED: 'false',
    },
    readyUrl: `http://127.0.0.1:${port}/healthz`,
    readyWithinMs: startWithinMs,
  }),
  async spansOf(base, project, txn) {
    const spans: SeenSpan[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const query: string = `limit=1000${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`
      const answer = await ask<PhoenixSpans>(`${base}/v1/projects/${project}/spans?${query}`)
      const wanted = answer?.data.filter(({ context }) => context.trace_id === traceIdOf(txn)) ?? []
      spans.push(...wanted.map(fromPhoenix))
      cursor = answer?.next_cursor ?? null
    }
    return spans
  },
  async page(base, project, txn, { pageId }) {
    const answer = await ask<{ readonly data: { readonly id: string } }>(`${base}/v1/projects/${project}`)
    return `${base}/projects/${answer?.data.id}/traces/${traceIdOf(txn)}?selectedSpanNodeId=${pageId}`
  },
}

type PhoenixSpans = {
  readonly next_cursor: string | null
  readonly data: readonly {
    readonly id: string
    readonly name: string
    readonly context: { readonly trace_id: string; readonly span_id: string }
    readonly parent_id: string | null
    readonly attributes: Readonly<Record<string, unknown>>
  }[]
}

function fromPhoenix({ id, name, context, parent_id, attributes }: PhoenixSpans['data'][number]): SeenSpan {
  return { spanId: context.span_id, parentId: parent_id ?? undefined, name, attributes, pageId: id }
}

const mlflow: Backend = {
  name: 'mlflow',
  requirement: 'mlflow==3.17.2',
  program: (bin, port, directory) => {
    const kept = makeDirectory(directory, 'mlflow')
    const stores = ['--backend-store-uri', `sqlite:///${kept}/mlflow.db`, '--artifacts-destination', kept]
    return {
      name: 'mlflow',
      command: join(bin, 'mlflow'),
      args: ['server', '--host', '127.0.0.1', '--port', String(port), '--workers', '1', ...stores],
      env: { MLFLOW_DISABLE_TELEMETRY: 'true' },
      readyUrl: `http://127.0.0.1:${port}/health`,
      readyWithinMs: startWithinMs,
    }
  },
  async spansOf(base, _project, txn) {
    const found = await ask<{ readonly traces?: readonly { readonly trace_id: string }[] }>(
      `${base}/api/3.0/mlflow/traces/search`,
      {
        locations: [{ type: 'MLFLOW_EXPERIMENT', mlflow_experiment: { experiment_id: '0' } }],
        filter: `metadata.\`mlflow.trace.session\` = '${txn}'`,
      },
    )
    const [trace] = found?.traces ?? []
    if (trace === undefined) return []
    const url = `${base}/api/3.0/mlflow/traces/get?trace_id=${trace.trace_id}&allow_partial=true`
    return ((await ask<MlflowTrace>(url))?.trace.spans ?? []).map(fromMlflow)
  },
  async page(base, _project, txn) {
    return `${base}/#/experiments/0/traces?selectedEvaluationId=tr-${traceIdOf(txn)}`
  },
}

type MlflowValue = {
  readonly string_value?: string
  readonly array_value?: { readonly values?: readonly MlflowValue[] }
}
type MlflowTrace = {
  readonly trace: {
    readonly spans: readonly {
      readonly span_id: string
      readonly parent_span_id?: string
      readonly name: string
      readonly attributes: readonly { readonly key: string; readonly value: MlflowValue }[]
    }[]
  }
}

function fromMlflow(span: MlflowTrace['trace']['spans'][number]): SeenSpan {
  const toHex = (id: string) => Buffer.from(id, 'base64').toString('hex')
  const toValue = ({ string_value: text, array_value: list }: MlflowValue): unknown =>
    text ?? list?.values?.map(toValue)
  const parent = span.parent_span_id ?? ''
  const spanId = toHex(span.span_id)
  return {
    ...{ spanId, name: span.name, pageId: spanId, parentId: parent === '' ? undefined : toHex(parent) },
    attributes: Object.fromEntries(span.attributes.map(({ key, value }) => [key, toValue(value)])),
  }
}

export const backends: readonly Backend[] = [phoenix, mlflow]

function makeDirectory(directory: string, name: string): string {
  const made = join(directory, name)
  mkdirSync(made)
  return made
}

/** Returns the answer of an API, or `undefined` while it does not answer well. */
async function ask<T>(url: string, body?: object): Promise<T | undefined> {
  const post = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  }
  const response = await fetch(url, body === undefined ? {} : post)
  return response.ok ? ((await response.json()) as T) : undefined
}
