/** The closed sets of harmless styles (SPEC §3.12.4). */

function names(list: string): ReadonlySet<string> {
  return new Set(list.trim().split(/,\s+|,?\n\s*/));
}

/** Properties with any value that holds no `(` and no negative number. */
export const ANY_VALUE: ReadonlySet<string> = new Set(
  `
    -moz-hyphens -moz-osx-font-smoothing -ms-hyphens -ms-interpolation-mode
    -webkit-font-smoothing -webkit-hyphens -webkit-line-break -webkit-nbsp-mode
    -webkit-tap-highlight-color border-collapse border-radius border-spacing caret-color clear
    cursor font-kerning font-style font-weight hyphens layout-grid-mode line-break
    mso-ansi-language mso-ascii-theme-font mso-bidi-font-style mso-bidi-font-weight
    mso-bidi-language mso-bidi-theme-font mso-bookmark mso-border-alt mso-border-bottom-alt
    mso-border-left-alt mso-border-right-alt mso-border-top-alt mso-cellspacing
    mso-default-props mso-fareast-language mso-fareast-theme-font mso-footer-margin
    mso-hansi-theme-font mso-header-margin mso-layout-grid-align mso-ligatures
    mso-line-height-rule mso-margin-bottom-alt mso-margin-top-alt mso-no-proof mso-outline-level
    mso-padding-alt mso-pagination mso-paper-source mso-style-link mso-style-name mso-style-next
    mso-style-noshow mso-style-parent mso-style-priority mso-style-qformat mso-style-type
    mso-style-unhide mso-table-lspace mso-table-rspace mso-yfti-firstrow mso-yfti-irow
    mso-yfti-lastrow mso-yfti-tbllook orphans overflow-wrap page page-break-after
    page-break-before page-break-inside punctuation-wrap tab-interval tab-stops text-align
    text-autospace text-decoration-color text-decoration-style text-justify text-rendering
    widows word-break word-wrap
  `
    .trim()
    .split(/\s+/),
);

/** Properties with few values: names, then values. */
const FEW_VALUES: readonly (readonly [string, string])[] = [
  ["-webkit-text-stroke-width, outline-width", "0 | 0px"],
  ["background-attachment", "initial | scroll"],
  ["background-clip", "border-box | initial"],
  ["background-image", "initial | none"],
  ["background-origin", "initial | padding-box"],
  ["background-position", "0% 0% | initial"],
  ["background-repeat", "initial | repeat"],
  ["background-size", "auto | initial"],
  ["box-sizing", "border-box | content-box | inherit"],
  ["direction", "ltr"],
  ["box-shadow, float, mso-hide, outline-style, text-shadow, text-transform", "none"],
  [
    "font-feature-settings, font-language-override, font-optical-sizing, font-size-adjust, font-stretch, font-variant, font-variant-alternates, font-variant-caps, font-variant-east-asian, font-variant-emoji, font-variant-ligatures, font-variant-numeric, font-variant-position, font-variation-settings",
    "auto | inherit | initial | none | normal",
  ],
  ["list-style-position", "outside"],
  ["min-height, min-width", "0 | 0px | auto"],
  ["opacity", "1 | 1.0 | 100%"],
  ["outline", "0 | 0px | none"],
  ["overflow", "visible"],
  ["position", "static"],
  ["table-layout", "auto"],
  ["text-decoration", "inherit | initial | none | none solid | underline | underline solid"],
  ["text-decoration-line", "inherit | initial | none | underline"],
  [
    "-moz-text-size-adjust, -ms-text-size-adjust, -webkit-text-size-adjust, text-size-adjust",
    "100% | auto | none",
  ],
  ["unicode-bidi", "normal"],
  ["visibility", "inherit | visible"],
  ["white-space", "inherit | initial | normal | nowrap"],
];

/** Property → its values. */
export const EXACT_VALUES: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  FEW_VALUES.flatMap(([properties, values]) => {
    const set = new Set(values.split(" | "));
    return properties.split(", ").map((property) => [property, set] as const);
  }),
);

/** Dark enough on every ground. */
export const TEXT_COLOURS = names(`
  black, blue, brown, crimson, currentcolor, darkblue, darkcyan, darkgreen, darkmagenta, darkred,
  darkslategray, darkslategrey, dimgray, dimgrey, firebrick, gray, green, grey, indigo, inherit,
  initial, maroon, mediumblue, midnightblue, navy, olive, purple, red, royalblue, saddlebrown,
  seagreen, sienna, slategray, slategrey, steelblue, teal, windowtext
`);

/** Light enough under every text. */
export const GROUND_COLOURS = names(`
  aliceblue, azure, beige, cornsilk, floralwhite, ghostwhite, honeydew, inherit, initial, ivory,
  lavenderblush, lemonchiffon, lightyellow, linen, mintcream, none, oldlace, seashell, snow,
  transparent, white, whitesmoke, window, yellow
`);

/** In another font a digit may look like another digit. */
export const FONTS = names(`
  -apple-system, -apple-system-font, aptos, aptos display, aptos_embeddedfont,
  aptos_msfontservice, arial, arial black, arial narrow, arial unicode ms, avenir, avenir next,
  bitstream vera sans, blinkmacsystemfont, book antiqua, bookman old style, calibri,
  calibri light, cambria, cambria math, candara, cantarell, century, century gothic,
  century schoolbook, comic sans ms, consolas, constantia, corbel, courier, courier new,
  dejavu sans, dejavu sans mono, dejavu serif, droid sans, franklin gothic book,
  franklin gothic medium, garamond, geneva, georgia, gill sans, gill sans mt, google sans,
  helvetica, helvetica neue, helveticaneue, hiragino kaku gothic pron, hiragino sans, impact,
  inherit, initial, inter, lato, liberation mono, liberation sans, liberation serif,
  lucida console, lucida grande, lucida sans, lucida sans unicode, meiryo, menlo, microsoft yahei,
  monaco, monospace, montserrat, ms gothic, ms mincho, ms pgothic, ms sans serif, ms serif,
  ms shell dlg, ms ui gothic, new york, noto sans, noto serif, nunito, open sans, optima,
  palatino, palatino linotype, pingfang sc, poppins, product sans, roboto, san francisco,
  sans serif, sans-serif, segoe ui, segoe ui light, segoe ui semibold,
  segoe ui web (west european), serif, sf mono, sf pro, sf pro text, simsun, source sans pro,
  system-ui, tahoma, times, times new roman, tms rmn, trebuchet ms, ubuntu, ui-monospace,
  ui-sans-serif, ui-serif, verdana, wf_segoe-ui_normal, yu gothic
`);
