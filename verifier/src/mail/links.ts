/** Links to files in clouds (SPEC §3.19): counted by service, not kept. */

import { characters } from "./octets.ts";
import { asciiLower } from "./charsets.ts";

const PIECE_MAX = 2048;
const HOST_MAX = 253;
const LINKS_MAX = 1000;

/** Host of a service → how a path must begin (any, if there is none). */
const SERVICES: ReadonlyMap<string, readonly string[]> = new Map(
  `1drv.ms|1fichier.com|acrobat.adobe.com /id/ /link/|box.com /file/ /folder/ /s/ /v/|db.tt
  disk.yandex.com|disk.yandex.ru|docs.google.com /document/ /file/ /presentation/ /spreadsheets/ /uc
  drive.google.com /drive/ /file/ /folderview /open /uc|drive.proton.me /urls/
  dropbox.com /l/ /s/ /scl/ /sh/ /t/|dropboxusercontent.com|filemail.com /d/ /t/
  filesender.renater.fr|fromsmash.com|grosfichiers.com|icloud.com /attachment/ /iclouddrive/
  kdrive.infomaniak.com|mediafire.com /file/ /folder/|mega.co.nz|mega.nz|onedrive.live.com
  pcloud.link|share.icloud.com|sharefile.com /d /share|sharepoint.com|swisstransfer.com /d/
  transfernow.net|we.tl|web.tresorit.com /l/|wetransfer.com /downloads/|workdrive.zoho.com|yadi.sk`
    .split(/\n|\|/)
    .map((entry) => entry.trim().split(" "))
    .map(([host, ...paths]) => [host!, paths]),
);

const COLON = 0x3a;
const SLASH = 0x2f;
const PARTING = new Uint8Array(256).map((_, octet) =>
  octet <= 0x20 || octet === 0x7f || "\"'<>\\`".includes(String.fromCharCode(octet)) ? 1 : 0,
);

/** The different links of one message, without their schemes → the service that each is counted for. */
export type Links = Map<string, string>;

/** Adds those of one body, as it is decoded. */
export function addLinks(links: Links, octets: Uint8Array): void {
  let start = 0;
  for (let at = 0; at < octets.length; at++) {
    if (PARTING[octets[at]!] === 1) start = at + 1;
    if (octets[at] !== COLON || octets[at + 1] !== SLASH || octets[at + 2] !== SLASH) continue;
    if (at + 3 >= start + PIECE_MAX) continue;
    const link = linkAt(octets, start, at);
    if (link === undefined) continue;
    at = link.end - 1;
    addLink(links, link.host, link.path);
    while (at + 1 < octets.length && PARTING[octets[at + 1]!] === 0) at++;
  }
}

interface Link {
  readonly host: string;
  readonly path: string;
  readonly end: number;
}

/** The link whose `://` stands at `colon`, in the piece that begins at `start`. */
function linkAt(octets: Uint8Array, start: number, colon: number): Link | undefined {
  const before = ascii(octets, Math.max(start, colon - 5), colon);
  if (!before.endsWith("http") && before !== "https") return undefined;
  const limit = Math.min(start + PIECE_MAX, octets.length);
  let hostEnd = colon + 3;
  while (hostEnd < limit && isHostOctet(octets[hostEnd]!)) hostEnd++;
  const size = hostEnd - colon - 3;
  if (size < 1 || size > HOST_MAX || hostEnd >= limit || octets[hostEnd] !== SLASH)
    return undefined;
  let end = hostEnd;
  while (end < limit && PARTING[octets[end]!] === 0) end++;
  return {
    host: ascii(octets, colon + 3, hostEnd),
    path: characters(octets.subarray(hostEnd, end)),
    end,
  };
}

function ascii(octets: Uint8Array, start: number, end: number): string {
  return asciiLower(String.fromCharCode(...octets.subarray(start, end)));
}

function isHostOctet(octet: number): boolean {
  const isDigit = octet >= 0x30 && octet <= 0x39;
  const letter = octet | 0x20;
  return (
    isDigit ||
    octet === 0x2d ||
    octet === 0x2e ||
    (octet >= 0x41 && letter >= 0x61 && letter <= 0x7a)
  );
}

function addLink(links: Links, host: string, path: string): void {
  const service = serviceOf(host);
  if (service === undefined) return;
  const paths = SERVICES.get(service)!;
  if (paths.length > 0 && !paths.some((beginning) => path.startsWith(beginning))) return;
  const link = withoutSigns(`${host}${path.replaceAll("&amp;", "&")}`);
  if (links.size < LINKS_MAX) links.set(link, service);
}

/** The longest listed host that this one is, or that it ends in behind a dot. */
function serviceOf(host: string): string | undefined {
  for (let rest = host; ;) {
    if (SERVICES.has(rest)) return rest;
    const dot = rest.indexOf(".");
    if (dot < 0) return undefined;
    rest = rest.slice(dot + 1);
  }
}

function withoutSigns(link: string): string {
  let end = link.length;
  while (end > 0 && ".,;:!?)]}*_".includes(link[end - 1]!)) end--;
  return link.slice(0, end);
}

/** By host, in the order of its characters. */
export function linkCounts(links: Links): { count: number; host: string }[] {
  const counts = new Map<string, number>();
  for (const host of links.values()) counts.set(host, (counts.get(host) ?? 0) + 1);
  return [...counts.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([host, count]) => ({ count, host }));
}
