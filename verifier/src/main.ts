/**
 * The one program of verifier.html: it is the page, and started by the page from its own text it is
 * the worker. So the file holds the code once, and loads nothing.
 */

import { startPage } from "./page/page.ts";
import { serve } from "./page/worker.ts";

if (typeof document === "undefined") {
  serve(self);
} else {
  const program = document.currentScript?.textContent ?? "";
  const url = URL.createObjectURL(new Blob([program], { type: "text/javascript" }));
  startPage(() => new Worker(url));
}
