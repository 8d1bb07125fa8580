import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { utf8 } from "../../src/bytes.ts";
import { CHARACTERS } from "../../src/mail/html_entities.ts";
import { readPage } from "../../src/mail/html_text.ts";
import { textRules } from "../../src/mail/text.ts";

/** Markers as `{…|…}`. */
function spelt(text: string): string {
  return text.replaceAll("\u0001", "{").replaceAll("\u0002", "}").replaceAll("\u0003", "|");
}

function seen(page: string): string {
  const made = readPage(page);
  return "note" in made ? made.note : spelt(made.text);
}

function words(page: string): string {
  const made = readPage(page);
  return "note" in made ? made.note : spelt(made.words);
}

const M = "html.malformed";
const U = "html.unsupported";
const S = "html.style";
const H = "html.hidden-text";

describe("html-text/1", () => {
  it("is the example of SPEC §3.12.6", () => {
    const page = "<p>Total</p><table><tr><td>1&nbsp;200</td></tr></table>";
    expect(seen(page)).toBe("Total{table}{tr}{td}1 200{/table}");
    const part = { type: "text/html", charset: "utf-8", format: undefined, delsp: undefined };
    const { fingerprints, images } = textRules(utf8(page), part);
    expect(fingerprints.map(({ rule, size }) => [rule, size])).toEqual([
      ["text/1", 55],
      ["html-text/1", 33],
      ["words/1", 11],
    ]);
    expect(images).toEqual([]);
  });

  it.each([
    ["a <b>b</b>c<br>d", "a bc\nd"],
    ["<p>a</p> <p>b</p>", "a\nb"],
    ["a < b &amp; c &lt", M],
    ["a <3 &x &#65; &#x2014;", "a <3 &x A —"],
    ["&euro;&hellip;", "€…"],
    ["<ol start=3><li>a<li value=07>b</ol>", "{ol|1|3}{li}a{li|7}b{/ol}"],
    ["<ul><li>a</ul>b", "{ul}{li}a{/ul}b"],
    ['<a href=" x\n">y</a>z', "{a|x}y{/a}z"],
    ["<a name=x>y</a>", "y"],
    ["1<sup>2</sup> <s>3</s>", "1{sup}2{/sup}{s} 3{/s}"],
    ["<pre>a\n b</pre>c", "a\nb\nc"],
    ["<img src=cid:x alt=' a  b '>", "{img|cid:x|a b}"],
    ["<img width=1>", "{dot||}"],
    ["<img style='width:7.9px'>", "{dot||}"],
    ["a<img style=display:block>b", "a\n{img||}\nb"],
    ["<td>x", M],
    ["<table><td colspan=2>x", "{table}{tr}{td|2|1}x{/table}"],
    ["<table>x", M],
    ["<table><tr><td>x</table><hr>y", "{table}{tr}{td}x{/table}{hr}y"],
    ["<style>p{margin:0}</style>x", "x"],
    ["x<style>", "x"],
    ["<!-- [if x] -->x", H],
    ["<!--[if mso]><xml>a</xml><![endif]-->x", "x"],
  ])("reads %s", (page, text) => {
    expect(seen(page)).toBe(text);
  });

  it.each([
    ["<details>x", H],
    ["<p hidden>x", H],
    ["<![if x]>", H],
    ["<small><sub><sup>x", H],
    ["<p onclick=x>", U],
    ["<input>", U],
    ["<p dir=rtl>x", U],
    ["\u200e", U],
    ["a\u000bb", U],
    ["<meta charset=utf-16>", U],
    ["<p style='position:absolute'>", S],
    ["<p style='color:white'>x", S],
    ["<td style='display:block'>", S],
    ["<font face=Wingdings>4", S],
    ["<p style='text-indent:-1cm'>x", S],
    ["<style>p{color:red!important}</style>", S],
    ["<style>@media x{@media y{p{}}}</style>", S],
    ["<mark>a</mark><p style='line-height:10px'>", S],
    ["<!-- x", M],
    ["<p x=\"y'>", M],
    ["&bogus;", M],
    ["&notit", M],
    ["&#0;", M],
    ["</ p>", M],
    ["<a href=x><table><tr><td><a href=y>", M],
  ])("refuses %s", (page, note) => {
    expect(seen(page)).toBe(note);
  });

  it("takes styles that hide nothing", () => {
    const styles = [
      "margin:0cm;margin-bottom:.0001pt;font-size:11.0pt;font-family:'Calibri',sans-serif",
      "color:#0563C1;text-decoration:underline",
      "background:rgb(255, 255, 255) none repeat scroll 0% 0%",
      "margin-left:36.0pt;text-indent:-18.0pt",
      "font:italic bold 12px/1.5 Arial, sans-serif",
      "line-height:115%",
    ];
    for (const style of styles) expect(seen(`<p style="${style}">x`)).toBe("x");
    expect(seen("<p style='margin-left:1cm;text-indent:-18pt'>x")).toBe(S);
    expect(seen("<p style='margin:301px'>x")).toBe(S);
    expect(seen("<span style='margin:1px'>x")).toBe(S);
  });

  it("has its limits", () => {
    expect(seen("<p title='" + "x".repeat(65_524) + "'>")).toBe("");
    expect(seen("<p title='" + "x".repeat(65_525) + "'>")).toBe(M);
    expect(seen("<p title='" + "😀".repeat(65_524) + "'>")).toBe("");
    expect(seen("<ul><li>".repeat(50) + "x")).toContain("x");
    expect(seen("<ul><li>".repeat(50) + "<ul>x")).toBe(U);
    expect(seen("e" + "&#769;".repeat(30)).length).toBe(30);
    expect(seen("e" + "&#769;".repeat(31))).toBe(U);
  });

  it("knows the characters of SPEC §3.12.2", () => {
    const spec = readFileSync("../SPEC.md", "utf-8");
    const [, list] = /Second part \(hexadecimal\):\n([^]*?)\n\n/.exec(spec)!;
    for (const item of list!.split(/\s+/)) {
      const [name, point] = item.split("=");
      expect(CHARACTERS.get(name!)).toBe(String.fromCharCode(Number.parseInt(point!, 16)));
    }
    expect(CHARACTERS.size).toBe(96 + list!.split(/\s+/).length);
    expect(CHARACTERS.get("yuml")).toBe("ÿ");
  });

  it.each([
    ["a  b<p>c</p>d", "a b c d"],
    ["<ol><li>a<li>b</ol>", "{ol} {li} a {li} b {/ol}"],
    ["<ul><li>a</ul>", "a"],
    ["<sub></p>a", "{sub}a{/sub}"],
    ["x<img src=a alt=b width=1>", "x{img|b}"],
  ])("has words: %s", (page, text) => {
    expect(words(page)).toBe(text);
  });
});
