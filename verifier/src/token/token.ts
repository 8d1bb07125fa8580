/**
 * The thirteen checks on a time-stamp token (SPEC §5.3), in their order, at the token's own genTime. All
 * that can be judged is judged, whatever failed before.
 */

import { equal } from "../bytes.ts";
import { CheckFailed, NotChecked } from "../errors.ts";
import type { TrustedAuthority } from "../proof/trust_model.ts";
import { digest } from "./algorithm.ts";
import { readCertificate, type Certificate } from "./certificate.ts";
import {
  checkContentType,
  checkMessageDigest,
  checkSignature,
  checkSigningCertificate,
  oneSigner,
  signerCertificateDer,
  signingCertificateVersions,
  type Signer,
} from "./cms.ts";
import type { JudgedToken, TokenFacts, TokenResult } from "./model.ts";
import { isFault, outcomeOf } from "./outcome.ts";
import { anchorsOf, checkUsage, checkValidity, pathAt } from "./path.ts";
import { TST_INFO, readResponse, readToken, type Response, type Token } from "./response.ts";

const SHA256 = "2.16.840.1.101.3.4.2.1";
const GRANTED = 0n;
const BOUND_BY = { v1: "v1 (SHA-1)", v2: "v2" } as const;

/** A value that is worked out once: asking for it gives it, or throws what working it out threw. */
type Once<T> = () => T;

function once<T>(make: () => T): Once<T> {
  let kept: { readonly value: T } | { readonly error: unknown } | undefined;
  return () => {
    if (kept === undefined) {
      try {
        kept = { value: make() };
      } catch (error) {
        kept = { error };
      }
    }
    if ("error" in kept) throw kept.error;
    return kept.value;
  };
}

/** What the checks run on. */
interface Bench {
  readonly response: Once<Response>;
  readonly token: Once<Token>;
  readonly signer: Once<Signer>;
  readonly certificateDer: Once<Uint8Array>;
  readonly certificate: Once<Certificate>;
  readonly signature: Once<Promise<string>>;
  readonly path: Once<Promise<readonly Certificate[]>>;
}

type Check = readonly [title: string, run: (bench: Bench) => void | Promise<void>];

/**
 * Judges a TimeStampResp by T1 to T13. `imprint` is the SHA-256 due; `certificates` (DER) lie beside the
 * token and are untrusted; `authorities` are the trust's.
 */
export async function judgeToken(
  response: Uint8Array,
  imprint: Uint8Array,
  certificates: readonly Uint8Array[],
  authorities: readonly TrustedAuthority[],
): Promise<JudgedToken> {
  const bench = makeBench(response, certificates, authorities);
  const results: TokenResult[] = [];
  for (const [title, run] of checks(imprint, authorities)) {
    const number = `T${results.length + 1}`;
    results.push({ number, title, ...(await outcomeOf(async () => run(bench))) });
  }
  const noPath = (await outcomeOf(async () => void (await bench.path()))).reason;
  return {
    results,
    facts: await factsOf(bench),
    noPath,
    untrusted: untrustedOf(bench, certificates),
  };
}

function makeBench(
  responseDer: Uint8Array,
  certificates: readonly Uint8Array[],
  authorities: readonly TrustedAuthority[],
): Bench {
  const response = once(() => readResponse(responseDer));
  const token = once(() => {
    const der = response().token;
    if (der === undefined) throw new CheckFailed("the answer holds no token");
    return readToken(der);
  });
  const signer = once(() => oneSigner(token().signed));
  const certificateDer = once(() => signerCertificateDer(token().signed, signer()));
  const certificate = once(() => readCertificate(certificateDer()));
  return {
    response,
    token,
    signer,
    certificateDer,
    certificate,
    signature: once(async () => checkSignature(signer(), certificate())),
    path: once(async () =>
      pathAt(
        certificate(),
        [...token().signed.certificates, ...certificates],
        anchorsOf(authorities),
        token().info.genTime,
      ),
    ),
  };
}

function untrustedOf(bench: Bench, certificates: readonly Uint8Array[]): readonly Uint8Array[] {
  try {
    return [...bench.token().signed.certificates, ...certificates];
  } catch (error) {
    if (isFault(error)) return certificates;
    throw error;
  }
}

/** SPEC §5.3's table, T1 to T13. */
function checks(imprint: Uint8Array, authorities: readonly TrustedAuthority[]): readonly Check[] {
  return [
    [
      "the response is strict DER and holds a time-stamp token",
      (bench) => {
        if (bench.response().token !== undefined) bench.token();
      },
    ],
    ["the status is granted", checkGranted],
    [
      "the imprint's algorithm and bytes are those due",
      (bench) => {
        const { info } = bench.token();
        if (info.imprintOid !== SHA256) {
          throw new CheckFailed("the imprint is by another digest algorithm");
        }
        if (!equal(info.imprint, imprint))
          throw new CheckFailed("the imprint is of something else");
      },
    ],
    ["there is exactly one signer", (bench) => void bench.signer()],
    ["the signer's certificate is carried", (bench) => void bench.certificate()],
    [
      "the content type is signed",
      (bench) => checkContentType(bench.token().signed, bench.signer(), TST_INFO),
    ],
    [
      "the message digest is that of the content",
      (bench) => checkMessageDigest(bench.signer(), (name) => digest(name, bench.token().content)),
    ],
    [
      "the signer's certificate is bound by ESSCertID",
      (bench) => checkSigningCertificate(bench.signer(), bench.certificateDer()),
    ],
    ["the signature is good", async (bench) => void (await bench.signature())],
    [
      "the signer's certificate is for time-stamping alone",
      (bench) => checkUsage(bench.certificate()),
    ],
    [
      "the signer's certificate was valid at genTime",
      (bench) => checkValidity(bench.certificate(), bench.token().info.genTime),
    ],
    [
      "the path to a trusted authority holds at genTime",
      async (bench) => void (await bench.path()),
    ],
    [
      "the policy is one that the authority is trusted for",
      async (bench) => checkPolicy(await bench.path(), bench.token().info.policy, authorities),
    ],
  ];
}

/** RFC 3161 §2.4.2: granted alone; one with modifications is not what was asked for. */
function checkGranted(bench: Bench): void {
  const { status, failures } = bench.response();
  if (status !== GRANTED) throw new CheckFailed(`the status is ${status}, not granted (0)`);
  if (failures.size > 0) throw new CheckFailed("the status is granted, and yet a failure is given");
  bench.token();
}

/** The policies are those of the anchor that the path ends in. */
function checkPolicy(
  path: readonly Certificate[],
  policy: string,
  authorities: readonly TrustedAuthority[],
): void {
  const end = path[path.length - 1]!;
  const allowed = authorities.filter((one) => equal(one.certificate, end.der));
  if (!allowed.some(({ policies }) => policies.length === 0 || policies.includes(policy))) {
    throw new CheckFailed("the token's policy is not one that this authority is trusted for");
  }
}

/** What the token says, where it can be read and its signer and signature are good. */
async function factsOf(bench: Bench): Promise<TokenFacts | undefined> {
  try {
    const { info } = bench.token();
    const signature = await bench.signature();
    const versions = signingCertificateVersions(bench.signer());
    return {
      genTime: info.genTime,
      accuracy: info.accuracy,
      policy: info.policy,
      serial: info.serial,
      signature,
      boundBy: versions.map((version) => BOUND_BY[version]).join(", "),
      signer: bench.certificate(),
      path: await pathOrNone(bench),
    };
  } catch (error) {
    if (isFault(error) || error instanceof NotChecked) return undefined;
    throw error;
  }
}

async function pathOrNone(bench: Bench): Promise<readonly Certificate[]> {
  try {
    return await bench.path();
  } catch (error) {
    if (isFault(error) || error instanceof NotChecked) return [];
    throw error;
  }
}
