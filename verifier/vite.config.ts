import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** Puts program and style into index.html, under a policy that lets nothing else run or load. */
function oneFile(): Plugin {
  return {
    name: "one-file",
    generateBundle(_, bundle) {
      const chunks = Object.values(bundle).filter((file) => file.type === "chunk");
      if (chunks.length !== 1) this.error("the program is not one chunk");
      const program = chunks[0]!.code
        .trim()
        .replace(/<\/(script)/gi, "<\\/$1")
        .replace(/<!--/g, "<\\!--");
      const style = readFileSync("src/page/style.css", "utf8").trim();
      const hash = (text: string) =>
        `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
      const policy = [
        "default-src 'none'",
        `script-src ${hash(program)}`,
        `style-src ${hash(style)}`,
        "worker-src blob:",
        "form-action 'none'",
        "base-uri 'none'",
      ].join("; ");
      const html = readFileSync("index.html", "utf8")
        .replace(
          "<!-- content-security-policy -->",
          () => `<meta http-equiv="Content-Security-Policy" content="${policy}" />`,
        )
        .replace("<!-- style -->", () => `<style>${style}</style>`)
        .replace("<!-- program -->", () => `<script>${program}</script>`);
      for (const name of Object.keys(bundle)) delete bundle[name];
      this.emitFile({ type: "asset", fileName: "verifier.html", source: html });
    },
  };
}

export default defineConfig({
  plugins: [oneFile()],
  build: {
    outDir: "../proofmail/web/static",
    emptyOutDir: false,
    target: "es2022",
    rollupOptions: { input: "src/main.ts", output: { format: "iife" } },
  },
  test: {
    include: ["tests/**/*.test.ts"],
    setupFiles: ["node/webcrypto.ts"],
    // What hangs is ended; a loaded machine is not taken for that.
    testTimeout: 60_000,
  },
});
