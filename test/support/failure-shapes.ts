import { fileURLToPath } from 'node:url'
import {
  type ArrowFunction,
  type CallExpression,
  type Expression,
  type FunctionDeclaration,
  type FunctionTypeNode,
  type MethodDeclaration,
  type Node,
  type SourceFile,
  SyntaxKind,
} from 'typescript/unstable/ast'
import {
  isArrowFunction,
  isBinaryExpression,
  isCallExpression,
  isFunctionDeclaration,
  isFunctionTypeNode,
  isIdentifier,
  isMethodDeclaration,
  isPropertyAccessExpression,
  isTypeOfExpression,
} from 'typescript/unstable/ast/is'
import { API, type Checker, SignatureKind, type Type, TypeFlags } from 'typescript/unstable/sync'
import { failureKinds } from '../../src/base/model/failure.ts'
import { nameOf } from './asking-code.ts'

const project = fileURLToPath(new URL('../../', import.meta.url))
const sources = `${project}src/`

/**
 * Places of src/ that break the one shape of failure, as `file#declaration: text`:
 * - `probes`: tells members of our own unions apart by something other than `kind`.
 * - `returns`: a function returns a union of which two members have no `kind`.
 * - `guards`: a guard reads a value that can have the `kind` of a failure without being one.
 */
export type BrokenShapes = Readonly<Record<Rule, readonly string[]>>

type Rule = 'probes' | 'returns' | 'guards'

/** Finds these by the compiler's types. `overlay` replaces texts of files, by path from the project. */
export function findBrokenShapes(overlay: ReadonlyMap<string, string> = new Map()): BrokenShapes {
  const texts = new Map([...overlay].map(([path, text]) => [`${project}${path}`, text]))
  const api = new API({ cwd: project, fs: { readFile: (path) => texts.get(path) } })
  try {
    const [opened] = api.updateSnapshot({ openProjects: [`${project}tsconfig.json`] }).getProjects()
    if (opened === undefined) throw new TypeError('tsconfig.json: expected a project')
    const { checker, program } = opened
    const sites = program.getSourceFileNames().flatMap((path) => {
      const file = path.startsWith(sources) ? program.getSourceFile(path) : undefined
      return file === undefined ? [] : sitesOf(file, path.slice(sources.length))
    })
    return judgeSites(sites, checker)
  } finally {
    api.close()
  }
}

/** A value whose type decides, or the type that a function returns; `predicate` is the function that gets the value. */
type Site = {
  readonly rule: Rule
  readonly node: Node
  readonly predicate?: Node
  readonly place: string
}

/** The functions that read `kind`. */
const guards: ReadonlySet<string> = new Set([
  'isDeny',
  'isFailure',
  'isFault',
  'isGitFailure',
  'isGrpcFailure',
  'isInvalid',
  'isNeed',
  'isProblems',
  'isRefusedContent',
  'isUnread',
])
const reflection =
  /^(?:Object\.(?:hasOwn|prototype\.hasOwnProperty\.call|keys|getOwnPropertyNames|getOwnPropertyDescriptor)|Reflect\.(?:has|get|ownKeys))$/

function sitesOf(file: SourceFile, name: string): readonly Site[] {
  const sites: Site[] = []
  const visit = (node: Node, declaration: string): void => {
    const found = siteOf(node, file)
    const text = () => node.getText(file).replaceAll(/\s+/g, ' ').slice(0, 90)
    if (found !== undefined) sites.push({ ...found, place: `${name}#${declaration}: ${text()}` })
    node.forEachChild((child) => visit(child, declaration))
  }
  for (const statement of file.statements) visit(statement, nameOf(statement, file))
  return sites
}

function siteOf(node: Node, file: SourceFile): Omit<Site, 'place'> | undefined {
  if (isTypeOfExpression(node)) return { rule: 'probes', node: node.expression }
  if (isCallExpression(node)) return callSiteOf(node, file)
  if (isTyped(node)) return node.type && { rule: 'returns', node: node.type }
  if (!isBinaryExpression(node)) return undefined
  const { kind } = node.operatorToken
  if (kind === SyntaxKind.InKeyword) return { rule: 'probes', node: node.right }
  // A promise is no result yet.
  const isTest = kind === SyntaxKind.InstanceOfKeyword && node.right.getText(file) !== 'Promise'
  return isTest ? { rule: 'probes', node: node.left } : undefined
}

function callSiteOf(
  { expression, arguments: given }: CallExpression,
  file: SourceFile,
): Omit<Site, 'place'> | undefined {
  const [first]: readonly (Expression | undefined)[] = given
  if (isPropertyAccessExpression(expression) && expression.name.text === 'hasOwnProperty')
    return { rule: 'probes', node: expression.expression }
  if (first === undefined) return undefined
  if (isIdentifier(expression) && guards.has(expression.text)) return { rule: 'guards', node: first }
  if (reflection.test(expression.getText(file))) return { rule: 'probes', node: first }
  return { rule: 'probes', node: first, predicate: expression }
}

function isTyped(
  node: Node,
): node is ArrowFunction | FunctionDeclaration | FunctionTypeNode | MethodDeclaration {
  return (
    isArrowFunction(node) ||
    isFunctionDeclaration(node) ||
    isFunctionTypeNode(node) ||
    isMethodDeclaration(node)
  )
}

function judgeSites(sites: readonly Site[], checker: Checker): BrokenShapes {
  const types = checker.getTypeAtLocation(sites.map(({ node }) => node))
  const judges = createJudges(
    checker,
    types.filter((type) => type !== undefined),
  )
  const broken = sites.filter((site, at) => {
    const type = types[at]
    return type !== undefined && judges[site.rule](type, site)
  })
  const placesOf = (wanted: Rule) => broken.filter(({ rule }) => rule === wanted).map(({ place }) => place)
  return { probes: placesOf('probes'), returns: placesOf('returns'), guards: placesOf('guards') }
}

/** Unions in which nothing failed: data of a format, and a line of the log as its bytes or as what makes them. */
const data: ReadonlySet<string | undefined> = new Set(['JsonValue', 'CedarValueJson', 'Line'])

function createJudges(
  checker: Checker,
  types: readonly Type[],
): Readonly<Record<Rule, (type: Type, site: Site) => boolean>> {
  const failures: ReadonlySet<unknown> = new Set(failureKinds)
  const isOurs = (type: Type): boolean => {
    if (checker.isArrayType(type)) return elementsOf(type, checker).some(isOurs)
    const symbol = type.isIntersectionType() ? type.getAliasSymbol() : type.getSymbol()
    // The compiler's paths may be in lower case.
    const isSource = ({ path }: { readonly path: string }) =>
      path.toLowerCase().startsWith(sources.toLowerCase())
    return (type.isIntersectionType() || type.isObjectType()) && symbol?.declarations.some(isSource) === true
  }
  /** The texts that `kind` can be: none without it, and a member that is no text where it could be anything. */
  const kindsOf = (type: Type): readonly (string | undefined)[] => {
    const isObject = type.isIntersectionType() || type.isObjectType()
    const kind = isObject ? checker.getPropertyOfType(type, 'kind') : undefined
    const kinds = kind && checker.getTypeOfSymbol(kind)
    return kinds === undefined ? [] : membersOf(kinds).map((each) => (isText(each) ? each.value : undefined))
  }
  const fieldsOf = (type: Type): string =>
    checker
      .getPropertiesOfType(type)
      .map(({ name }) => name)
      .sort()
      .join()
  const isPredicate = (called: Node): boolean => {
    const symbol = checker.getSymbolAtLocation(called)
    const type = symbol && checker.getTypeOfSymbol(symbol)
    if (type === undefined) return false
    return checker
      .getSignaturesOfType(type, SignatureKind.Call)
      .some((signature) => checker.getTypePredicateOfSignature(signature) !== undefined)
  }
  /** Whether a value is declared as `object`: any union of ours can be handed to it. */
  const isAnyObject = (node: Node): boolean => {
    const symbol = isIdentifier(node) ? checker.getSymbolAtLocation(node) : undefined
    const declared = symbol && checker.getTypeOfSymbol(symbol)
    return declared !== undefined && (declared.flags & TypeFlags.NonPrimitive) !== 0
  }
  const known = new Set(
    types
      .filter((type) => data.has(type.getAliasSymbol()?.name))
      .flatMap((type) => membersOf(type).map(({ id }) => id)),
  )
  // Without `undefined` a union loses its name.
  const isData = (type: Type): boolean => membersOf(type).every(({ id }) => known.has(id))
  return {
    probes(type, { node, predicate }) {
      const members = membersOf(type)
      if (isBinaryExpression(node.parent) && isAnyObject(node)) return true
      if (members.length < 2 || isData(type) || !members.some(isOurs)) return false
      return predicate === undefined || isPredicate(predicate)
    },
    returns(type) {
      const settled = membersOf(type).flatMap((member) =>
        member.getSymbol()?.name === 'Promise' ? elementsOf(member, checker).flatMap(membersOf) : [member],
      )
      const untold = settled.filter((member) => kindsOf(member).length === 0 && !isLiteral(member))
      if (isData(type) || !untold.some((member) => member.isObjectType())) return false
      // Two members of the same fields are told apart by the values of these.
      return new Set(untold.map((member) => (isOurs(member) ? fieldsOf(member) : member.id))).size > 1
    },
    guards: (type) =>
      membersOf(type).some((member) => {
        const bound = member.isTypeParameter() ? checker.getBaseConstraintOfType(member) : member
        if (bound === undefined || (bound.flags & anything) !== 0) return true
        return membersOf(bound).some((each) => {
          const kinds = kindsOf(each)
          const told = kinds.filter((kind) => failures.has(kind)).length
          return kinds.includes(undefined) || (told > 0 && told < kinds.length)
        })
      }),
  }
}

const anything = TypeFlags.Any | TypeFlags.Unknown | TypeFlags.NonPrimitive
const nothing = TypeFlags.Undefined | TypeFlags.Null | TypeFlags.Void

function membersOf(type: Type): readonly Type[] {
  const members = type.isUnionType() ? type.getTypes() : [type]
  return members.filter(({ flags }) => (flags & nothing) === 0)
}

function elementsOf(type: Type, checker: Checker): readonly Type[] {
  return type.isTypeReference() ? checker.getTypeArguments(type) : []
}

function isText(type: Type): type is Type & { readonly value: string } {
  return type.isStringLiteralType()
}

function isLiteral(type: Type): boolean {
  return (type.flags & (TypeFlags.StringLiteral | TypeFlags.NumberLiteral | TypeFlags.BooleanLike)) !== 0
}
