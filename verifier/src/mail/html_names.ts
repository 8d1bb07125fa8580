/** Elements and attributes of HTML that have `html-text/1` (SPEC §3.12.3). */

function set(words: string): ReadonlySet<string> {
  return new Set(words.trim().split(/\s+/));
}

/** Borders at their start and end. */
export const BLOCKS = set(`
  address article aside blockquote center dd div dl dt figcaption figure footer h1 h2 h3 h4 h5 h6
  header main nav p section
`);

/** Nothing but their text is seen. */
export const INLINES = set(`
  abbr acronym b big cite code dfn em font i ins kbd label mark nobr o:p samp span st1:address
  st1:city st1:country-region st1:date st1:metricconverter st1:personname st1:place st1:placename
  st1:placetype st1:postalcode st1:state st1:street st1:time strong time tt u var
`);

/** They change what their text says or how it is shown. */
export const MARKED = set(`
  sub sup s strike del small
`);

/** They show nothing. */
export const NEUTRAL = set(`
  body col colgroup head html link meta wbr
`);

/** Elements with rules of their own. */
export const OTHERS = set(`
  table tbody thead tr td th ul ol li pre a br hr img style title
`);

/** Elements whose content some readers show and others do not. */
export const HIDING = set(`
  details dialog noembed noframes noscript template
`);

/** Attributes. */
export const ATTRIBUTES = set(`
  abbr accept-charset accesskey align alink alt autocapitalize autocorrect axis bgcolor border
  bordercolor bottommargin cellpadding cellspacing char charoff charset cite class clear color
  cols colspan compact content contenteditable coords crossorigin datetime decoding dir draggable
  editable face fetchpriority for frame headers height href hreflang hspace http-equiv id itemid
  itemprop itemref itemscope itemtype lang language leftmargin link loading longdesc marginheight
  marginwidth media moz-do-not-send name noshade nowrap originalsrc prefix property rel rev
  rightmargin role rowspan rules scheme scope shape shash size sizes span spellcheck src start
  style summary tabindex target text title topmargin translate type typeof unselectable valign
  value version vlink vocab vspace width wrap xml:lang xmlns
`);

/** How further attributes begin. */
export const ATTRIBUTE_PREFIXES: readonly string[] = [
  "data-",
  "aria-",
  "xmlns:",
  "v:",
  "o:",
  "w:",
  "m:",
  "st1:",
  "moz-",
  "apple-",
  "nfa-",
];

/** Words of `rel` of a `link`. */
export const RELATIONS = set(`
  apple-touch-icon canonical colorschememapping dns-prefetch edit-time-data file-list icon
  preconnect shortcut themedata
`);

/** `http-equiv` of a `meta`. */
export const HTTP_EQUIVALENTS = set(`
  content-language content-script-type content-style-type content-type generator x-ua-compatible
`);
