import { type Invalid, invalid } from '../../base/model/invalid.ts'
import type { Param } from '../../base/model/target.ts'
import { show } from '../../base/text/show.ts'
import { foldSegments } from './folded-path.ts'

/** The allowed methods; compared exactly, because over HTTP/2 `get` is not `GET`. */
export const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const

type Segment = { readonly kind: 'literal' | 'parameter'; readonly text: string }

/** A method and a path template: `GET /patients/{patientId}`; `*` for any method, a final `/**` for any path below. */
export type Route = {
  /** The text in services.yaml. */
  readonly text: string
  readonly method: string
  readonly segments: readonly Segment[]
  readonly hasRest: boolean
  /** The parameters' names, in segment order. */
  readonly parameters: readonly string[]
}

const parameterPattern = /^\{([A-Za-z][A-Za-z0-9_]*)\}$/
const literalPattern = /^[A-Za-z0-9\-._~!$&'()*+,=:@[\]]*$/

/** Parses a route of services.yaml. */
export function parseRoute(text: string): Route | Invalid {
  const [method, template, ...more] = text.trim().split(/\s+/)
  if (method === undefined || template === undefined || more.length > 0) {
    return invalid(`expected a method and a path, such as \`GET /patients/{patientId}\`, found ${show(text)}`)
  }
  if (method !== '*' && !methods.some((known) => known === method)) {
    const isLower = methods.some((known) => known === method.toUpperCase())
    const hint = isLower ? '; write it in capitals' : ''
    return invalid(`expected one of ${methods.join(', ')} or \`*\`, found ${show(method)}${hint}`)
  }
  if (!template.startsWith('/'))
    return invalid(`expected a path that begins with \`/\`, found ${show(template)}`)
  const hasRest = template.endsWith('/**')
  const parts = (hasRest ? template.slice(0, -3) : template).slice(1).split('/')
  const segments = hasRest && template === '/**' ? [] : parts.map(toSegment)
  const bad = segments.find((segment) => segment.kind === 'literal' && !isLiteral(segment.text))
  if (bad !== undefined) return invalid(refuseSegment(bad.text))
  const parameters = segments.filter(({ kind }) => kind === 'parameter').map((segment) => segment.text)
  const twice = parameters.find((name, index) => parameters.indexOf(name) < index)
  if (twice !== undefined)
    return invalid(`the parameter \`{${twice}}\` stands twice; name one of them otherwise`)
  return { text, method, segments, hasRest, parameters }
}

/**
 * Returns the route as read by a server that folds letters or trims segments; the same object if folding changes nothing.
 */
export function foldRoute(route: Route, isCaseSensitive: boolean): Route {
  const segments = route.segments.map((segment): Segment => {
    if (segment.kind === 'parameter') return segment
    // A literal contains no separator, and more than dots.
    const [text = segment.text] = foldSegments([segment.text], isCaseSensitive) ?? []
    return text === segment.text ? segment : { kind: 'literal', text }
  })
  const isFolded = segments.every((segment, index) => segment === route.segments[index])
  return isFolded ? route : { ...route, segments }
}

/** Returns the parameters if the route matches a method and decoded path segments. */
export function matchRoute(
  route: Route,
  method: string,
  segments: readonly string[],
): readonly Param[] | undefined {
  if (route.method !== '*' && route.method !== method) return undefined
  const count = route.segments.length
  if (route.hasRest ? segments.length < count : segments.length !== count) return undefined
  const values: string[] = []
  for (const [index, expected] of route.segments.entries()) {
    const found = segments[index] ?? ''
    if (expected.kind === 'literal' ? found !== expected.text : found === '') return undefined
    if (expected.kind === 'parameter') values.push(found)
  }
  return route.parameters.map((name, index) => ({ name, value: values[index] ?? '' }))
}

/** True if some request matches both routes. */
export function overlaps(a: Route, b: Route): boolean {
  if (a.method !== b.method && a.method !== '*' && b.method !== '*') return false
  const shared = Math.min(a.segments.length, b.segments.length)
  for (let index = 0; index < shared; index++) {
    const [left, right] = [a.segments[index], b.segments[index]]
    if (left?.kind === 'literal' && right?.kind === 'literal' && left.text !== right.text) return false
  }
  if (a.segments.length < b.segments.length) return a.hasRest
  if (b.segments.length < a.segments.length) return b.hasRest
  return true
}

/** True if every request that matches `narrow` also matches `wide`. */
export function covers(wide: Route, narrow: Route): boolean {
  if (wide.method !== '*' && wide.method !== narrow.method) return false
  if (narrow.hasRest && !wide.hasRest) return false
  if (narrow.segments.length !== wide.segments.length && !wide.hasRest) return false
  return wide.segments.every((segment, index) => {
    const other = narrow.segments[index]
    if (other === undefined) return false
    return segment.kind === 'parameter' || (other.kind === 'literal' && other.text === segment.text)
  })
}

function refuseSegment(text: string): string {
  const expected = 'expected plain text or one whole `{name}` between two `/`'
  if (text === '.' || text === '..' || text.includes('{')) return `${expected}, found ${show(text)}`
  const character = [...text].find((one) => !literalPattern.test(one)) ?? text
  return `${expected}, found ${show(text)} with ${show(character)} in it`
}

function toSegment(text: string): Segment {
  const parameter = parameterPattern.exec(text)?.[1]
  return parameter === undefined ? { kind: 'literal', text } : { kind: 'parameter', text: parameter }
}

function isLiteral(text: string): boolean {
  // Servers drop segments of dots, or read them as parents.
  return literalPattern.test(text) && !/^\.+$/.test(text)
}
