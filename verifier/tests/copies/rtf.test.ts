import { describe, expect, it } from "vitest";
import { ascii } from "../../src/bytes.ts";
import { Unreadable } from "../../src/errors.ts";
import { readRtf } from "../../src/copies/rtf.ts";
import { unpackedRtf } from "../../src/copies/rtf_packed.ts";
import { shows, viewOfPage, viewOfPlain } from "../../src/copies/text_view.ts";

const HEAD =
  "{\\rtf1\\ansi\\ansicpg1252\\fromhtml1 \\deff0{\\fonttbl{\\f0\\fcharset0 Arial;}}\\uc1\\f0 ";

function html(body: string) {
  return readRtf(ascii(`${HEAD}${body}}`));
}

describe("the RTF of an Outlook file", () => {
  it("gives the HTML that it encloses, and what it shows itself", () => {
    const rich = html(
      "{\\*\\htmltag84 <b>}\\htmlrtf {\\b \\htmlrtf0 caf\\'e9 {\\*\\htmltag84 &euro;}" +
        "\\htmlrtf \\u8364 ?\\htmlrtf0 {\\*\\htmltag84 </b>}\\htmlrtf }\\htmlrtf0\\par x\\~y",
    );
    expect(rich).toEqual({
      kind: "html",
      text: "<b>café &euro;</b>\r\nx&nbsp;y",
      shown: "café €\r\nx\u00a0y",
      fields: [],
    });
  });

  it("gives plain text, and fields", () => {
    const head = HEAD.replace("fromhtml1", "fromtext");
    const field = '{\\field{\\*\\fldinst{HYPERLINK "https://a.example/"}}{\\fldrslt x}}';
    const rich = readRtf(ascii(`${head}a${field}\\u-10179 ?\\u-8704 ?}\r\n`));
    expect(rich).toMatchObject({ kind: "text", text: "ax😀", shown: "ax😀" });
    expect(rich.fields).toEqual(['HYPERLINK "https://a.example/"']);
  });

  it("encloses nothing where it does not say so", () => {
    expect(readRtf(ascii("{\\rtf1\\ansi x}")).kind).toBe("native");
  });

  it.each([
    ["\\v x", "hides text"],
    ["\\bin3 abc", "hides text"],
    ["{\\*\\bin9 }visible{}", "hides text"],
    ["\\u233{}", "stands in"],
    ["\\b1234567890 ", "no reader is sure"],
    ["\\-", "several ways"],
    ["{\\*x", "what a group is for"],
    ["\\u-10179 ?", "half a character"],
    ["\\u20 ?", "is none"],
    ["\\ansicpg65001 \\'e9", "unknown code page"],
    ["\\'81", "no character"],
    ["{\\*\\htmltag84 {}}", "too deep"],
    ["{\\*\\htmltag84 \\b}", "word of RTF"],
    ["x\\fromtext ", "too late"],
    ["{".repeat(500), "too deep"],
    ["} x", "behind its end"],
    ["\u0001", "no reader is sure"],
  ])("does not read %s", (body, reason) => {
    const read = () => html(body);
    expect(read).toThrow(Unreadable);
    expect(read).toThrow(reason);
  });

  it("is unpacked as MS-OXRTFCP shows", () => {
    // MS-OXRTFCP §3.1.1 and §3.2.1
    const packed =
      "2d0000002b0000004c5a4675f1c5c7a703000a00726370673132354232 0af3 2068656c" +
      "090020627705b06c647d0a800fa0";
    const octets = Uint8Array.from(packed.replaceAll(" ", "").match(/../g)!, (pair) =>
      Number.parseInt(pair, 16),
    );
    const text = String.fromCharCode(...unpackedRtf(octets));
    expect(text).toBe("{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n");
    for (let at = 8; at < octets.length; at++) {
      const bent = octets.slice();
      bent[at]! ^= 1;
      expect(() => unpackedRtf(bent)).toThrow(Unreadable);
    }
    const plain = Uint8Array.of(
      14,
      0,
      0,
      0,
      2,
      0,
      0,
      0,
      0x4d,
      0x45,
      0x4c,
      0x41,
      0,
      0,
      0,
      0,
      97,
      98,
    );
    expect(unpackedRtf(plain)).toEqual(ascii("ab"));
  });
});

describe("what a reader sees of a text", () => {
  it("compares forms by their words", () => {
    const view = viewOfPage('<p>a</p><b>b</b>c <a href="http://x/">http://x/</a>');
    expect(view).toEqual({
      text: "a bc http://x/",
      withLinks: "a bc http://x/<http://x/>",
      targets: ["http://x/"],
      isSimple: true,
    });
    expect(viewOfPlain("a\r\nbc http://x/ <http://x/>").text).toBe(view?.withLinks);
    expect(viewOfPage("<a href=http://x/>y</a>")?.isSimple).toBe(false);
    expect(viewOfPage("<img>")?.isSimple).toBe(false);
    expect(viewOfPage("<p style='display:none'>")).toBeUndefined();
    const rich = { kind: "html", text: "", shown: "a\r\nbc http://x/" } as const;
    expect(shows(view!, { ...rich, fields: ['HYPERLINK "http://x/"'] })).toBe(true);
    expect(shows(view!, { ...rich, fields: ['HYPERLINK "http://y/"'] })).toBe(false);
    expect(shows(view!, { ...rich, shown: "a bc", fields: [] })).toBe(false);
  });
});
