import { type Invalid, invalid } from '../model/invalid.ts'

/** Decodes saved text: UTF-8 with or without a byte order mark, or UTF-16, as `>` in Windows PowerShell writes it. */
export function decodeText(bytes: Uint8Array): string | Invalid {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return invalid('expected text, found a gzip archive; unpack it')
  try {
    // The decoder removes a byte order mark.
    return new TextDecoder(encodingOf(bytes), { fatal: true }).decode(bytes)
  } catch {
    return invalid('expected text in UTF-8 or UTF-16, found other bytes')
  }
}

function encodingOf([first, second]: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' {
  if (first === 0xff && second === 0xfe) return 'utf-16le'
  if (first === 0xfe && second === 0xff) return 'utf-16be'
  // Every file read here starts with an ASCII character, whose other byte in UTF-16 is 0.
  if (second === 0) return 'utf-16le'
  return first === 0 ? 'utf-16be' : 'utf-8'
}
