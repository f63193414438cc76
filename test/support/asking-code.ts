import { fileURLToPath } from 'node:url'
import {
  type Node,
  type ObjectLiteralElementLike,
  type SourceFile,
  SyntaxKind,
} from 'typescript/unstable/ast'
import {
  isArrowFunction,
  isCallExpression,
  isFunctionExpression,
  isIdentifier,
  isObjectLiteralExpression,
  isSpreadAssignment,
  isStringLiteral,
  isTypeNode,
} from 'typescript/unstable/ast/is'
import { API, type Checker, SignatureKind, type Type, TypeFlags } from 'typescript/unstable/sync'

const project = fileURLToPath(new URL('../../', import.meta.url))

/**
 * The abilities of a top-level declaration of src/, as `file#declaration`:
 * - `asks`: has a function that returns the policies' answer about a principal, or the engine's own answer.
 * - `calls anything`: calls a value of unknown type, which could be such a function.
 * - `permits`: makes a permission.
 */
export type Doings = Readonly<Record<'asks' | 'callsAnything' | 'permits', readonly string[]>>

/**
 * Finds these by the types that the compiler sees, so that no alias, destructuring or re-export hides one. `overlay` has
 * texts of files, by path from the project, that stand in place of the text on the disk.
 */
export function findDoings(overlay: ReadonlyMap<string, string> = new Map()): Doings {
  const texts = new Map([...overlay].map(([path, text]) => [`${project}${path}`, text]))
  const api = new API({ cwd: project, fs: { readFile: (path) => texts.get(path) } })
  try {
    const [opened] = api.updateSnapshot({ openProjects: [`${project}tsconfig.json`] }).getProjects()
    if (opened === undefined) throw new TypeError('tsconfig.json: expected a project')
    const { checker, program } = opened
    const asks = createAsks(checker)
    const found = program
      .getSourceFileNames()
      .filter((path) => path.startsWith(`${project}src/`))
      .flatMap((path) => {
        const file = program.getSourceFile(path)
        const values = file === undefined ? [] : valuesOf(file, path.slice(`${project}src/`.length))
        return [doingsOf(values, checker, asks)]
      })
    const join = (doing: keyof Doings) => [...new Set(found.flatMap((doings) => doings[doing]))].sort()
    return { asks: join('asks'), callsAnything: join('callsAnything'), permits: join('permits') }
  } finally {
    api.close()
  }
}

/** A value in the code, and the `file#declaration` that has it. */
type Placed = { readonly node: Node; readonly place: string }

function doingsOf(
  values: readonly Placed[],
  checker: Checker,
  asks: (type: Type | undefined) => boolean,
): Doings {
  // `import()` is a call of its own kind.
  const called = values.flatMap(({ node, place }) =>
    isCallExpression(node) && node.expression.kind !== SyntaxKind.ImportKeyword
      ? [{ node: node.expression, place }]
      : [],
  )
  return {
    asks: [...placesWhere(values, checker, asks), ...placesOfMade(values, checker, asks)],
    callsAnything: placesWhere(called, checker, isUnknownFunction),
    permits: values.filter(({ node }) => isStringLiteral(node) && node.text === 'permission').map(toPlace),
  }
}

function placesWhere(
  values: readonly Placed[],
  checker: Checker,
  holds: (type: Type | undefined) => boolean,
): readonly string[] {
  const types = checker.getTypeAtLocation(values.map(({ node }) => node))
  return values.filter((_, at) => holds(types[at])).map(toPlace)
}

function toPlace({ place }: Placed): string {
  return place
}

/** Where a function, or an object with one, is written in the place of one that asks: it could say anything. */
function placesOfMade(
  values: readonly Placed[],
  checker: Checker,
  asks: (type: Type | undefined) => boolean,
): readonly string[] {
  const isMade = ({ node }: Placed): boolean => {
    if (isArrowFunction(node) || isFunctionExpression(node)) return asks(checker.getContextualType(node))
    if (!isObjectLiteralExpression(node) || !node.properties.some(isAsking)) return false
    return askable.has(checker.getContextualType(node)?.getAliasSymbol()?.name)
  }
  return values.filter(isMade).map(toPlace)
}

const askable: ReadonlySet<string | undefined> = new Set(['Judge', 'Revision'])

/** A member that is named as what asks, or whose name is computed. */
function isAsking(member: ObjectLiteralElementLike): boolean {
  if (isSpreadAssignment(member)) return false
  return !isIdentifier(member.name) || member.name.text === 'evaluate'
}

function isUnknownFunction(type: Type | undefined): boolean {
  return type !== undefined && ((type.flags & TypeFlags.Any) !== 0 || type.getSymbol()?.name === 'Function')
}

const answers: ReadonlySet<string | undefined> = new Set(['PrincipalResult', 'Evaluation'])

/** Whether a type is, or may be, a function that returns such an answer. */
function createAsks(checker: Checker): (type: Type | undefined) => boolean {
  const known = new Map<number, boolean>()
  const look = (type: Type): boolean => {
    if (type.isUnionType() || type.isIntersectionType()) return type.getTypes().some(asks)
    if (!type.isObjectType()) return false
    return checker
      .getSignaturesOfType(type, SignatureKind.Call)
      .some((signature) => answers.has(checker.getReturnTypeOfSignature(signature)?.getAliasSymbol()?.name))
  }
  const asks = (type: Type | undefined): boolean => {
    if (type === undefined) return false
    const before = known.get(type.id)
    if (before !== undefined) return before
    // A type that contains itself asks only if another part of it does.
    known.set(type.id, false)
    const found = look(type)
    known.set(type.id, found)
    return found
  }
  return asks
}

const valueKinds: ReadonlySet<SyntaxKind> = new Set([
  SyntaxKind.Identifier,
  SyntaxKind.PropertyAccessExpression,
  SyntaxKind.ElementAccessExpression,
  SyntaxKind.CallExpression,
  SyntaxKind.StringLiteral,
  SyntaxKind.ArrowFunction,
  SyntaxKind.FunctionExpression,
  SyntaxKind.ObjectLiteralExpression,
])

/** Imports and exports have no value of their own: it is found where it is made and where it is used. */
const otherKinds: ReadonlySet<SyntaxKind> = new Set([
  SyntaxKind.TypeAliasDeclaration,
  SyntaxKind.InterfaceDeclaration,
  SyntaxKind.ImportDeclaration,
  SyntaxKind.ExportDeclaration,
])

function valuesOf(file: SourceFile, name: string): readonly Placed[] {
  const values: Placed[] = []
  const collect = (node: Node, place: string): void => {
    if (isTypeNode(node) || otherKinds.has(node.kind)) return
    if (valueKinds.has(node.kind)) values.push({ node, place })
    node.forEachChild((child) => collect(child, place))
  }
  for (const statement of file.statements) collect(statement, `${name}#${nameOf(statement, file)}`)
  return values
}

/** The first name that a statement declares. */
export function nameOf(statement: Node, file: SourceFile): string {
  return (
    /^(?:export )?(?:async )?(?:function|class|const|let)\*? ([\w$]+)/.exec(statement.getText(file))?.[1] ??
    '(code)'
  )
}
