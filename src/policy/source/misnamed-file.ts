import { editDistance } from '../../base/text/near-name.ts'

/**
 * Why a file that is not read looks as if it were part of the policy repository, and what to do; `undefined` when it does
 * not look so. Names are compared as people see them: without case, width, accents, and letters of other alphabets.
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

/** Endings that data may have which somebody meant to be read. */
const dataEndings: ReadonlySet<string> = new Set(['yaml', 'yml', 'json', 'json5', 'jsonc', 'toml', 'txt'])

function isLikePolicy(name: string): boolean {
  const endings = endingsOf(name)
  // `.cedarrc` configures a tool.
  const isDotfile = name.startsWith('.') && endings[0] !== 'cedar'
  const marked = isDotfile ? endings.slice(1) : endings
  if (marked.some((ending) => ending.startsWith('cedar') || isNear(ending, 'cedar'))) return true
  // Without any ending: `deny-cedar`, `denycedar`. A file `cedar` is a program.
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
  // A team's own folder of tests, but not what lies deeper, such as the tests of a Helm chart.
  return folders.slice(0, 2).some((folder) => /^tests?$/.test(fold(folder).trim()))
}

function likeFixedName(name: string): string | undefined {
  const visible = name.replace(/^[.\s~#]+/, '')
  // `services (1).yaml` and `services copy.yaml` are what desktops make of a second one.
  const [, stem = ''] = /^([^.]*?)(?:[\s_-]*\(\d+\)|[\s_-]+copy)?(?:\.|[~#\s]*$)/u.exec(visible) ?? []
  const ending = endingsOf(visible)[0] ?? 'txt'
  const isData = dataEndings.has(ending)
  if (isData && stem === 'services') return 'services.yaml'
  if (isData && (stem === 'entity' || isNear(stem, 'entities'))) return 'entities.json'
  // `service.yaml` is what Kubernetes' own Services are called.
  if (isNear(visible, 'services.yaml') && !/^service\.ya?ml$/.test(visible)) return 'services.yaml'
  return isNear(visible, 'entities.json') ? 'entities.json' : undefined
}

/** The words that stand behind a dot: `['cedar', 'txt']` of `x.cedar.txt`. */
function endingsOf(name: string): readonly string[] {
  return [...name.matchAll(/\.\s*([\p{L}\p{N}]+)/gu)].map(([, ending = '']) => ending)
}

function isNear(word: string, known: string): boolean {
  return editDistance(word, known, 1) <= 1
}

/** A name as it looks: one case and width, no accents, nothing invisible, no look-alikes of other alphabets. */
function fold(name: string): string {
  const plain = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\p{M}\p{Cf}\p{Cc}]/gu, '')
  return [...plain].map((letter) => lookAlikes.get(letter) ?? letter).join('')
}

/** Letters that look like those of the names above (Unicode's confusables), and signs that look like a dot. */
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

/** Names that editors and file systems give to copies which they make by themselves; each matches the copied name. */
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
  // rsync writes a file under such a name first.
  /^\.(.+)\.[A-Za-z0-9]{6}$/,
]

/** The file of which a file is a copy, by the name that an editor gave it. */
export function copiedFile(path: string): string | undefined {
  const slash = path.lastIndexOf('/') + 1
  const name = path.slice(slash)
  for (const pattern of copyNames) {
    const [, copied] = pattern.exec(name) ?? []
    if (copied !== undefined) return `${path.slice(0, slash)}${copied}`
  }
  return undefined
}
