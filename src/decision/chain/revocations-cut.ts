import { type Invalid, invalid, isInvalid } from '../../base/model/invalid.ts'

/** Yields the texts of elements in pieces, then returns the file without them. */
export type Pieces = Generator<string, string | Invalid>

/** Parsing a piece of this size takes about two milliseconds. */
const defaultPieceBytes = 32 * 1024
const maxElementBytes = 64 * 1024
/** The bytes outside of the arrays, white space included. */
const maxOutlineBytes = 64 * 1024
const maxFileBytes = 256 * 1024 * 1024

const [quote, comma, backslash] = [0x22, 0x2c, 0x5c]
const [openBracket, closeBracket, openBrace, closeBrace] = [0x5b, 0x5d, 0x7b, 0x7d]

type Cut = {
  readonly file: Buffer
  readonly pieceBytes: number
  /** The text outside of the arrays so far, and its size in bytes. */
  readonly outline: string[]
  outlineBytes: number
  /** The offset up to which the file is in the outline or in a piece. */
  doneTo: number
  /** The offset beyond which the current element or the outline is too long. */
  limitAt: number
  depth: number
  /** True if the file is a JSON object. */
  isObject: boolean
  /** The current array: its elements so far, and whether it already yielded pieces. */
  array: { elements: number; hasPieces: boolean } | undefined
}

/**
 * Cuts a JSON object. The elements of each array come in pieces; the object comes last, with these arrays empty.
 * INVARIANT: the file is valid JSON exactly if each piece is valid within brackets and the rest is valid. So the pieces
 * can be parsed one by one, and no step takes long, however large the file is.
 */
export function* cutRevocations(file: Buffer, pieceBytes: number = defaultPieceBytes): Pieces {
  if (file.length > maxFileBytes)
    return invalid(`expected at most ${maxFileBytes} bytes, found ${file.length}`)
  const cut: Cut = {
    file,
    pieceBytes,
    outline: [],
    outlineBytes: 0,
    doneTo: 0,
    limitAt: maxOutlineBytes,
    depth: 0,
    isObject: false,
    array: undefined,
  }
  for (let at = 0; at < file.length; at++) {
    const byte = file[at]
    if (byte === quote) at = endOfText(cut, at)
    else if (byte === openBrace || byte === openBracket) open(cut, at, byte)
    else if (byte === closeBrace || byte === closeBracket) {
      cut.depth--
      if (cut.depth === 1 && cut.array !== undefined) {
        const piece = closeArray(cut, at)
        if (isInvalid(piece)) return piece
        if (piece !== '') yield piece
      }
    } else if (byte === comma && cut.depth === 2 && cut.array !== undefined) {
      const piece = nextElement(cut, cut.array, at)
      if (isInvalid(piece)) return piece
      if (piece !== '') yield piece
    }
    if (at > cut.limitAt) return tooLong(cut)
  }
  return addToOutline(cut, file.length).join('')
}

/** Returns the offset of the closing quote of a string, or the limit if that comes first. */
function endOfText({ file, limitAt }: Cut, start: number): number {
  const end = Math.min(file.length, limitAt + 2)
  const part = file.subarray(0, end)
  for (let at = part.indexOf(quote, start + 1); at !== -1; at = part.indexOf(quote, at + 1)) {
    let escapes = 0
    while (file[at - 1 - escapes] === backslash) escapes++
    if (escapes % 2 === 0) return at
  }
  return end
}

function open(cut: Cut, at: number, byte: number): void {
  cut.depth++
  if (cut.depth === 1) cut.isObject = byte === openBrace
  if (cut.depth !== 2 || !cut.isObject || byte !== openBracket) return
  addToOutline(cut, at + 1)
  cut.array = { elements: 0, hasPieces: false }
  cut.limitAt = at + maxElementBytes
}

/** Returns the piece that ends with this element, or nothing while the piece is small. */
function nextElement(cut: Cut, array: NonNullable<Cut['array']>, at: number): string | Invalid {
  array.elements++
  cut.limitAt = at + maxElementBytes
  if (at - cut.doneTo < cut.pieceBytes) return ''
  const piece = cut.file.toString('utf8', cut.doneTo, at)
  cut.doneTo = at + 1
  array.hasPieces = true
  // A blank piece would hide that the element before the comma is missing.
  return isBlank(piece) ? invalid('expected JSON') : piece
}

/** Returns the last piece, or nothing if the array has no elements. */
function closeArray(cut: Cut, at: number): string | Invalid {
  const piece = cut.file.toString('utf8', cut.doneTo, at)
  const isComma = cut.array?.hasPieces === true && isBlank(piece)
  cut.array = undefined
  cut.doneTo = at
  cut.limitAt = at + maxOutlineBytes - cut.outlineBytes
  if (isComma) return invalid('expected JSON')
  return isBlank(piece) ? '' : piece
}

function addToOutline(cut: Cut, to: number): string[] {
  cut.outline.push(cut.file.toString('utf8', cut.doneTo, to))
  cut.outlineBytes += to - cut.doneTo
  cut.doneTo = to
  return cut.outline
}

function tooLong({ array }: Cut): Invalid {
  return array === undefined
    ? invalid(`expected at most ${maxOutlineBytes} bytes besides the entries`)
    : invalid(`entry ${array.elements + 1}: expected at most ${maxElementBytes} bytes`)
}

/** White space as JSON defines it. */
function isBlank(text: string): boolean {
  return /^[ \t\n\r]*$/.test(text)
}
