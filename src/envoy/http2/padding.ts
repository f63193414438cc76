import { type Frame, flag } from './frames.ts'

/** Leaves out a frame's padding (RFC 9113 §6.1); false when there is more of it than frame. */
export function unpad(frame: Frame): boolean {
  if ((frame.flags & flag.padded) === 0) return true
  const padding = frame.bytes[frame.start] ?? 0
  if (frame.end - frame.start < 1 + padding) return false
  frame.start += 1
  frame.end -= padding
  return true
}
