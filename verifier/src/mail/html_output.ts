/**
 * What a reader sees of a page, as text (SPEC §3.12.5), and its words (§3.13.2): words, spaces,
 * borders and markers, in the order in which they are said.
 */

const MARKER_START = "\u0001";
const MARKER_END = "\u0002";
const FIELD_END = "\u0003";

export function marker(...fields: string[]): string {
  return MARKER_START + fields.join(FIELD_END) + MARKER_END;
}

/** Not shown, or turning the order of the characters around them. */
export function isControl(unit: number): boolean {
  if (unit < 0x61c) {
    return (
      unit <= 8 ||
      unit === 0x0b ||
      (unit >= 0x0e && unit <= 0x1f) ||
      (unit >= 0x7f && unit <= 0x9f && unit !== 0x85)
    );
  }
  if (unit === 0x61c) return true;
  return (
    unit === 0x200e ||
    unit === 0x200f ||
    (unit >= 0x202a && unit <= 0x202e) ||
    (unit >= 0x2066 && unit <= 0x2069)
  );
}

export function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (isControl(text.charCodeAt(i))) return true;
  return false;
}

type Pending = "" | " " | "\n";

/** What has been said so far. */
export interface Output {
  readonly pieces: string[];
  pending: Pending;
  fresh: boolean;
  readonly words: string[];
  /** Whether there is a word, and whether something stands between the last one and the next. */
  spoken: boolean;
  apart: boolean;
  /** The `src` of each image. */
  readonly images: string[];
}

export function noOutput(): Output {
  return {
    pieces: [],
    pending: "",
    fresh: true,
    words: [],
    spoken: false,
    apart: false,
    images: [],
  };
}

export function sayBorder(output: Output): void {
  output.pending = "\n";
  output.apart = true;
}

/** White space in text. */
export function saySpace(output: Output): void {
  if (output.pending === "") output.pending = " ";
  output.apart = true;
}

/** Something that is seen: a run of text without white space, or an image. */
export function sayVisible(output: Output, seen: string, word = seen): void {
  if (!output.fresh && output.pending !== "") output.pieces.push(output.pending);
  output.pending = "";
  output.fresh = false;
  output.pieces.push(seen);
  sayWord(output, word);
}

function sayWord(output: Output, word: string): void {
  if (output.apart && output.spoken) output.words.push(" ");
  output.apart = false;
  output.spoken = true;
  output.words.push(word);
}

/** A marker in the line. */
export function sayInLine(output: Output, mark: string): void {
  output.pieces.push(mark);
  output.words.push(mark);
}

/** `counted`: the marker shows a number, and is a word of its own, too. */
export function sayStructure(output: Output, mark: string, counted = false): void {
  output.pieces.push(mark);
  output.pending = "";
  output.fresh = true;
  output.apart = true;
  if (!counted) return;
  sayWord(output, mark);
  output.apart = true;
}
