import { styleText } from 'node:util'
import type { Outcome, Refusal } from './outcome.ts'
import { findStep } from './steps.ts'
import { workloads } from './world.ts'

type Style = Parameters<typeof styleText>[0]

const widths = [25, 48, 30, 21]

/** Tells the story as a table: who asked for what on whose behalf, the answer, who refused and by which policy. */
export function formatTable(outcomes: readonly Outcome[], isColoured: boolean): string {
  const paint = (style: Style, text: string): string => (isColoured ? styleText(style, text) : text)
  const header = row(['  step', 'who asks for what', 'on behalf of', 'answer', 'without Waywarden'])
  const blocks = outcomes.map((outcome) => formatOutcome(outcome, paint))
  return [paint('bold', header), ...blocks.flat()].join('\n')
}

function formatOutcome(outcome: Outcome, paint: (style: Style, text: string) => string): readonly string[] {
  const { step, from, to, method, path, chain, status, code, without, ok, deniedBy } = outcome
  const mark = ok ? paint('green', '✓') : paint('red', '✗')
  // The gateway passes on what a user asks: it does not act, and so is not in the chain.
  const others = chain.at(-1) === workloads[from] ? chain.slice(0, -1) : chain
  const behalf = others.map(shortName).join(' → ') || '—'
  const answer = paint(status === 200 ? 'green' : 'yellow', pad(`${status} ${code ?? ''}`, widths[3]))
  const request = pad(`${from} → ${method} ${to}${path}`, widths[1])
  const line = `${mark} ${pad(step, (widths[0] ?? 0) - 2)}${request}${pad(behalf, widths[2])}${answer}${without ?? '—'}`
  const indent = ' '.repeat(widths[0] ?? 0)
  const details = [
    findStep(step).story,
    ...deniedBy.map(formatRefusal),
    ...(ok ? [] : [formatExpected(step)]),
  ]
  return [line, ...details.map((detail) => paint('dim', `${indent}${detail}`))]
}

function formatRefusal({ principal, role, policies }: Refusal): string {
  const places = policies.map(({ file, line }) => `policies/${file}:${line}`).join(', ')
  const why = places === '' ? 'no policy permits it' : `forbidden by ${places}`
  return `refused by ${shortName(principal)} as ${role}: ${why}`
}

function formatExpected(name: string): string {
  const { status, code, without } = findStep(name)
  return `expected ${status} ${code ?? ''} with and ${without} without Waywarden`
}

/** The last word of a SPIFFE ID or of `<issuer>/<user>`. */
function shortName(id: string): string {
  return id.slice(id.lastIndexOf('/') + 1)
}

function row(cells: readonly string[]): string {
  return cells.map((cell, index) => pad(cell, widths[index])).join('')
}

function pad(text: string, width = 0): string {
  return `${text.trimEnd()} `.padEnd(width)
}
