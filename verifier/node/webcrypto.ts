/** Gives Node 18 the WebCrypto that browsers and newer Nodes have as a global. For its side effect. */

import { webcrypto } from "node:crypto";

if (!("crypto" in globalThis)) Object.defineProperty(globalThis, "crypto", { value: webcrypto });
