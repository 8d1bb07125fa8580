/** Elements from values. Text from outside only ever becomes a text node. */

type Child = Node | string | null | undefined | false;

/** An element; `attributes` that are `false` or `undefined` are left out, `true` is empty. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: { [name: string]: string | number | boolean | undefined } = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === undefined) continue;
    element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child): child is Node | string => !!child));
  return element;
}

/** A drawing of one path on a field of 16 by 16, hidden from screen readers: words stand beside. */
export function icon(path: string): SVGSVGElement {
  const space = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(space, "svg");
  drawing.setAttribute("viewBox", "0 0 16 16");
  drawing.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(space, "path");
  line.setAttribute("d", path);
  drawing.append(line);
  return drawing;
}

/** Text from outside, kept from moving what stands around it. */
export function foreign(text: string): HTMLElement {
  return h("bdi", {}, plain(text));
}

const MOST_SHOWN = 500;
/** Controls, direction marks and the like; marks that reach over neighbours, or pile up on one letter. */
const ACTING =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Me}]|(?<=[\p{Mn}\p{Mc}]{4})[\p{Mn}\p{Mc}]/gu;

/** At most 500 characters, with ‹U+202E› for what would act on the text around it: shown, not obeyed. */
export function plain(text: string): string {
  const start = [...text.slice(0, 2 * MOST_SHOWN + 2)];
  const cut = start.length > MOST_SHOWN ? `${start.slice(0, MOST_SHOWN).join("")}…` : text;
  return cut.replace(ACTING, (letter) => {
    const code = letter.codePointAt(0) ?? 0;
    return `‹U+${code.toString(16).toUpperCase().padStart(4, "0")}›`;
  });
}
