/**
 * The code length of each byte in bits (RFC 7541 Appendix B); 256 is the end of the string. The code is canonical: codes
 * of one length count upwards in symbol order, so the lengths determine all codes.
 */
const codeLengths: readonly number[] = [
  ...[13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28],
  ...[28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28],
  ...[6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6],
  ...[5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10],
  ...[13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7],
  ...[7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6],
  ...[15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5],
  ...[6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28],
  ...[20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23],
  ...[24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24],
  ...[22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23],
  ...[21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23],
  ...[26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25],
  ...[19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27],
  ...[20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23],
  ...[26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26],
  30,
]
const endOfString = 256

/** The longest text in a header block, because the shortest code has five bits. */
const maxTextBytes = 64 * 1024

/** An inner node of a tree. A child is a node's index, or a symbol as `-1 - symbol`. */
type Node = [zero: number, one: number]

/** INVARIANT: no inner node has the root as its child, so 0 means "none yet". */
const tree = growTree()

/**
 * For each inner node and each next four bits: the next node, and the byte that they complete, if any. `next << 9 |
 * hasByte << 8 | byte`, or -1 for an invalid code.
 */
const steps = toSteps(tree)

/** Nodes where a string may end: after fewer than eight bits of padding, all ones. */
const isEnd = toEnds(tree)

const scratch = Buffer.allocUnsafeSlow(maxTextBytes)

/** Decodes a Huffman-coded string as Latin-1; `undefined` if it is invalid. Accepts at most 40 KiB. */
export function decodeHuffman(bytes: Buffer, start: number, end: number): string | undefined {
  let node = 0
  let length = 0
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0
    const high = steps[(node << 4) | (byte >> 4)] ?? -1
    if (high < 0) return undefined
    if ((high & 0x100) !== 0) scratch[length++] = high & 0xff
    const low = steps[((high >> 9) << 4) | (byte & 0xf)] ?? -1
    if (low < 0) return undefined
    if ((low & 0x100) !== 0) scratch[length++] = low & 0xff
    node = low >> 9
  }
  return isEnd[node] === 1 ? scratch.toString('latin1', 0, length) : undefined
}

function growTree(): readonly Node[] {
  const nodes: Node[] = [[0, 0]]
  const symbols = [...codeLengths.keys()].sort((one, other) => lengthOf(one) - lengthOf(other) || one - other)
  let code = 0
  let codeLength = 0
  for (const symbol of symbols) {
    code *= 2 ** (lengthOf(symbol) - codeLength)
    codeLength = lengthOf(symbol)
    plant(nodes, code, codeLength, symbol)
    code++
  }
  return nodes
}

function lengthOf(symbol: number): number {
  return codeLengths[symbol] ?? 0
}

function plant(nodes: Node[], code: number, length: number, symbol: number): void {
  let node = nodes[0]
  for (let bit = length - 1; bit >= 0 && node !== undefined; bit--) {
    const side = sideOf(code, bit)
    if (bit === 0) node[side] = -1 - symbol
    else {
      if (node[side] === 0) node[side] = nodes.push([0, 0]) - 1
      node = nodes[node[side]]
    }
  }
}

function sideOf(bits: number, bit: number): 0 | 1 {
  return ((bits >>> bit) & 1) === 0 ? 0 : 1
}

function toSteps(nodes: readonly Node[]): Int32Array {
  const table = new Int32Array(nodes.length * 16)
  for (const start of nodes.keys()) {
    for (let bits = 0; bits < 16; bits++) table[(start << 4) | bits] = toStep(nodes, start, bits)
  }
  return table
}

function toStep(nodes: readonly Node[], start: number, bits: number): number {
  let node = start
  let byte = 0
  for (let bit = 3; bit >= 0; bit--) {
    const child = nodes[node]?.[sideOf(bits, bit)] ?? 0
    if (child === -1 - endOfString) return -1
    if (child < 0) byte = 0x100 | (-1 - child)
    node = Math.max(child, 0)
  }
  return (node << 9) | byte
}

function toEnds(nodes: readonly Node[]): Uint8Array {
  const ends = new Uint8Array(nodes.length)
  let node = 0
  for (let ones = 0; ones < 8; ones++) {
    ends[node] = 1
    node = nodes[node]?.[1] ?? 0
  }
  return ends
}
