/** format=flowed undone (RFC 3676 §4, SPEC §3.5 step 4): the lines of a paragraph become one. */

const SIGNATURE = "-- ";
const QUOTE = 0x3e;
const SP = 0x20;

/** Lines end in LF. Undefined if one has more than `most` code points. */
export function readFlowed(text: string, delsp: boolean, most: number): string | undefined {
  const made: string[] = [];
  /** Of the paragraph that the next line may continue; -1 if none is open. */
  let openDepth = -1;
  let start = 0;
  while (start <= text.length) {
    const found = text.indexOf("\n", start);
    const end = found < 0 ? text.length : found;
    if (longer(text, start, end, most)) return undefined;
    let depth = 0;
    while (start + depth < end && text.charCodeAt(start + depth) === QUOTE) depth++;
    let from = start + depth;
    if (from < end && text.charCodeAt(from) === SP) from++;
    const signature = end - from === 3 && text.startsWith(SIGNATURE, from);
    const flowed = end > from && text.charCodeAt(end - 1) === SP && !signature;
    const joins = depth === openDepth && end > from && !signature;
    if (!joins) made.push((start > 0 ? "\n" : "") + ">".repeat(depth) + (depth > 0 ? " " : ""));
    made.push(text.slice(from, flowed && delsp ? end - 1 : end));
    openDepth = flowed ? depth : -1;
    start = end + 1;
  }
  return made.join("");
}

function longer(text: string, start: number, end: number, most: number): boolean {
  if (end - start <= most) return false;
  let points = 0;
  for (let i = start; i < end; i++) if ((text.charCodeAt(i) & 0xfc00) !== 0xdc00) points++;
  return points > most;
}
