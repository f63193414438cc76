import { editDistance } from '../../base/text/near-name.ts'

/**
 * Explains why an unread file looks like a part of the policy repository, and what to do; `undefined` if it does not.
 * Names are compared as people see them: ignoring case, width, accents, and look-alike letters of other alphabets.
 */
export function explainMisnamed(path: string): string | undefined {
  const parts = path.split('/')
  const name = fold(parts.at(-1) ?? '')
  const folders = parts.slice(0, -1)
  const isInHidden = folders.some((folder) => folder.startsWith('.'))
  if (isLikeSchema(name))
    return 'looks like a schema and is not read: the schema is the one file `schema.cedarschema`'
  if (isLikePolicy(name)) return `looks like a policy and is not read: ${whyNoPolicy(path)}`
  if (isLikeTest(name, folders))
    return 'looks like a test and is not run: tests are `*.yaml` or `*.yml` in the folder `tests`, beside services.yaml'
  if (path !== 'PIN' && folders.length === 0 && /^\.?pin(?:\.txt)?$/.test(name.trim()))
    return 'looks like `PIN` and pins nothing: the pin of a directory is the file `PIN`, in just these letters'
  const fixed = isInHidden ? undefined : likeFixedName(name)
  if (fixed === undefined) return undefined
  return `looks like \`${fixed}\` and is not read: that file is read under this very name alone, at the top of the repository; rename or delete it`
}

function whyNoPolicy(path: string): string {
  if (path.startsWith('tests/'))
    return 'no policy is read in `tests`; move it to another folder, or delete it'
  if (path.split('/').some((part) => part.startsWith('.')) && path.endsWith('.cedar'))
    return 'a name that begins with a dot hides it; rename or move it, or delete it'
  return "a policy's name ends in `.cedar`, in just these letters; rename it, or delete it"
}

/** File endings of data files. */
const dataEndings: ReadonlySet<string> = new Set(['yaml', 'yml', 'json', 'json5', 'jsonc', 'toml', 'txt'])

function isLikePolicy(name: string): boolean {
  const endings = endingsOf(name)
  // `.cedarrc` configures a tool.
  const isDotfile = name.startsWith('.') && endings[0] !== 'cedar'
  const marked = isDotfile ? endings.slice(1) : endings
  if (marked.some((ending) => ending.startsWith('cedar') || isNear(ending, 'cedar'))) return true
  // Names without ending, such as `deny-cedar` and `denycedar`. A file `cedar` is a program.
  const words = name.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '')
  return endings.length === 0 && name !== 'cedar' && (words.at(-1) ?? '').endsWith('cedar')
}

function isLikeSchema(name: string): boolean {
  return endingsOf(name).some(
    (ending) => ending.startsWith('cedarschema') || editDistance(ending, 'cedarschema', 2) <= 2,
  )
}

function isLikeTest(name: string, folders: readonly string[]): boolean {
  const endings = endingsOf(name)
  const isYaml = endings.some((ending) => /^ya?ml\d*$/.test(ending) || isNear(ending, 'yaml'))
  if (!isYaml) return false
  if (folders.length === 0) return /^tests?\./.test(name)
  if (folders[0] === 'tests') return true
  if (folders.some((folder) => folder.startsWith('.'))) return false
  // A team's own folder of tests, but not deeper folders, such as the tests of a Helm chart.
  return folders.slice(0, 2).some((folder) => /^tests?$/.test(fold(folder).trim()))
}

function likeFixedName(name: string): string | undefined {
  const visible = name.replace(/^[.\s~#]+/, '')
  // Desktops name a copy `services (1).yaml` or `services copy.yaml`.
  const [, stem = ''] = /^([^.]*?)(?:[\s_-]*\(\d+\)|[\s_-]+copy)?(?:\.|[~#\s]*$)/u.exec(visible) ?? []
  const ending = endingsOf(visible)[0] ?? 'txt'
  const isData = dataEndings.has(ending)
  if (isData && stem === 'services') return 'services.yaml'
  if (isData && (stem === 'entity' || isNear(stem, 'entities'))) return 'entities.json'
  // `service.yaml` is a usual name for Kubernetes Services.
  if (isNear(visible, 'services.yaml') && !/^service\.ya?ml$/.test(visible)) return 'services.yaml'
  return isNear(visible, 'entities.json') ? 'entities.json' : undefined
}

/** Returns the words after dots: `['cedar', 'txt']` for `x.cedar.txt`. */
function endingsOf(name: string): readonly string[] {
  return [...name.matchAll(/\.\s*([\p{L}\p{N}]+)/gu)].map(([, ending = '']) => ending)
}

function isNear(word: string, known: string): boolean {
  return editDistance(word, known, 1) <= 1
}

/**
 * Returns a name as it looks: one case and width, no accents, no invisible characters, no look-alikes of other alphabets.
 */
function fold(name: string): string {
  const plain = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\p{M}\p{Cf}\p{Cc}]/gu, '')
  return [...plain].map((letter) => lookAlikes.get(letter) ?? letter).join('')
}

/** Letters that look like those of the names above (Unicode confusables), and characters that look like a dot. */
const lookAlikes: ReadonlyMap<string, string> = new Map(
  Object.entries({
    a: 'аɑα',
    c: 'сϲⅽ',
    d: 'ԁɗ',
    e: 'еεҽ',
    h: 'һ',
    i: 'іιı',
    l: 'ӏ',
    m: 'м',
    n: 'ոη',
    o: 'оοօ',
    r: 'гᴦ',
    s: 'ѕ',
    t: 'тτ',
    v: 'ѵν',
    y: 'уү',
    '.': '。۔·•‧∙⋅・｡܁',
  }).flatMap(([plain, others]) => [...others].map((other) => [other, plain] as const)),
)

/** Names of automatic copies by editors and file systems; each pattern captures the original name. */
const copyNames: readonly RegExp[] = [
  /^(.+)\.~\d+~$/,
  /^#(.+)#$/,
  /^\.#(.+)$/,
  /^\._(.+)$/,
  /^\.~lock\.(.+)#$/,
  /^\.(.+)\.(?:sw[a-z]|un~|kate-swp)$/,
  /^\.(.+)~$/,
  /^(.+)~$/,
  /^(.+)___jb_(?:old|tmp)___$/,
  // rsync writes to such a name first.
  /^\.(.+)\.[A-Za-z0-9]{6}$/,
]

/** Returns the original of an automatic copy, by the copy's name. */
export function copiedFile(path: string): string | undefined {
  const slash = path.lastIndexOf('/') + 1
  const name = path.slice(slash)
  for (const pattern of copyNames) {
    const [, copied] = pattern.exec(name) ?? []
    if (copied !== undefined) return `${path.slice(0, slash)}${copied}`
  }
  return undefined
}
