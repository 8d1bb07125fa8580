/** `words/1` of plain text (SPEC §3.13.1), and what is white space for words and HTML. */

const SP = 0x20;

/** W of §3.12.1: White_Space of Unicode 14.0. */
export function isWhite(unit: number): boolean {
  if (unit <= SP) return unit === SP || (unit >= 9 && unit <= 13);
  if (unit < 0x1680) return unit === 0x85 || unit === 0xa0;
  if (unit < 0x2000) return unit === 0x1680;
  if (unit <= 0x200a) return true;
  return (
    unit === 0x2028 || unit === 0x2029 || unit === 0x202f || unit === 0x205f || unit === 0x3000
  );
}

/** Each run of W as one SP, none at the ends. */
export function wordsOf(text: string): string {
  const pieces: string[] = [];
  let kept = 0;
  let at = 0;
  while (at < text.length) {
    if (!isWhite(text.charCodeAt(at))) {
      at++;
      continue;
    }
    const start = at;
    do at++;
    while (at < text.length && isWhite(text.charCodeAt(at)));
    const inside = start > 0 && at < text.length;
    if (inside && at === start + 1 && text.charCodeAt(start) === SP) continue;
    if (start > kept) pieces.push(text.slice(kept, start));
    if (inside) pieces.push(" ");
    kept = at;
  }
  pieces.push(text.slice(kept));
  return pieces.join("");
}
