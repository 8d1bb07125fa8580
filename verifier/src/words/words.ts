/**
 * What a report says, in English and French, by the catalogue that both verifiers share. Values
 * from outside stand in a sentence as they are: whoever shows it escapes it.
 */

import type { Row, Said, Status } from "../report.ts";
import catalogue from "./catalogue.json";

export type Language = "en" | "fr";
export const LANGUAGES: readonly Language[] = ["en", "fr"];

const WORDS = new Map(Object.entries(catalogue.words as Record<string, string[]>));
const ROWS_FR = new Map(Object.entries(catalogue.rows_fr as Record<string, string>));

export function said(key: string, values: Said["values"] = {}): Said {
  return { key, values };
}

/** The catalogue's text for a key, with the places for its values still open. */
export function word(key: string, language: Language): string {
  const text = WORDS.get(key)?.[LANGUAGES.indexOf(language)];
  if (text === undefined) throw new RangeError(`no words for ${key}`);
  return text;
}

/** The sentence, with its values in their places. */
export function say(one: Said, language: Language): string {
  return word(one.key, language).replace(/\{([a-z0-9]+)\}/g, (_, name: string) => {
    const value = Object.hasOwn(one.values, name) ? one.values[name] : undefined;
    if (value === undefined) throw new RangeError(`${one.key} lacks a value for ${name}`);
    return typeof value === "object" ? say(value, language) : String(value);
  });
}

/** The title of a check; in English where there is no other. */
export function rowTitle(row: Row, language: Language): string {
  if (language === "en") return row.title;
  const number = row.number.slice(row.number.lastIndexOf(".") + 1);
  return ROWS_FR.get(row.title) ?? ROWS_FR.get(`row.${number}`) ?? row.title;
}

/** What equality under a rule means, with the rule's name behind it. */
export function rungWords(rung: string, language: Language): string {
  if (rung === "") return word("rung.none", language);
  return WORDS.has(`rung.${rung}`) ? `${word(`rung.${rung}`, language)} (${rung})` : rung;
}

export function statusWord(status: Status, language: Language): string {
  return word(`status.${status}`, language);
}

/** The verdict of SPEC §9.4 on the whole, by the exit status. */
export function verdictWord(exitStatus: 0 | 1 | 3, language: Language): string {
  return word(`verdict.${exitStatus}`, language);
}
