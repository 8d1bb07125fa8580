/** V5.Q: what the trust's lists say of a token's authority at genTime (SPEC §5.8). It never fails. */

import { equal } from "../bytes.ts";
import type { Status } from "../report.ts";
import type { ListedService, TrustedAuthority, TrustedList } from "../proof/trust_model.ts";
import {
  readCertificate,
  readCertificateNames,
  type Certificate,
  type CertificateNames,
} from "./certificate.ts";
import type { JudgedToken, Qualification, TokenFacts } from "./model.ts";
import { momentOfText, type Moment } from "./moment.ts";
import { isFault, outcomeOf } from "./outcome.ts";
import { pathAt } from "./path.ts";

type Answer = Qualification["answer"];

/** From the strongest to the weakest: a list too old to tell outweighs another's no. */
const ANSWERS: readonly Answer[] = [
  "qualified",
  "qualified by an unsigned list",
  "not checked",
  "not qualified",
];
const STATUS_OF: Readonly<Record<Answer, Status>> = {
  qualified: "passed",
  "qualified by an unsigned list": "passed",
  "not qualified": "absent",
  "not checked": "not checked",
};
/** 1 July 2016 in Brussels, when Regulation (EU) No 910/2014 began to apply. */
const EIDAS = momentOfText("2016-06-30T22:00:00.000Z");

/**
 * V5.Q of a token whose facts can be read. `authority` is the one of the trust that its path ends in;
 * `failed` says that the token failed a check, so that nobody's qualification is its.
 */
export async function judgeQualification(
  judged: JudgedToken,
  lists: readonly TrustedList[],
  authority: TrustedAuthority | undefined,
  failed: boolean,
): Promise<Qualification> {
  const { facts, untrusted } = judged;
  if (failed || facts === undefined) return answered("not checked", "the token did not pass");
  if (authority?.built_in) {
    return answered("not qualified", "the built-in authority is not a qualified one");
  }
  if (lists.length === 0) return answered("not checked", "no trusted list is in the trust given");
  const found: Qualification[] = [];
  for (const list of lists) {
    for (const service of await servicesOf(list, facts, untrusted)) {
      found.push(judge(list, service, facts.genTime));
    }
  }
  for (const answer of ANSWERS) {
    const first = found.find((one) => one.answer === answer);
    if (first !== undefined) return first;
  }
  const territories = [...new Set(lists.map((list) => list.territory))].sort().join(", ");
  return answered("not checked", `the authority is in none of the lists given (${territories})`);
}

function answered(answer: Answer, reason: string, listTitle = ""): Qualification {
  return { status: STATUS_OF[answer], answer, reason, listTitle };
}

/** The services that are the token's: one of their certificates has the signer's name and key, or a path
 * from the signer's certificate to one of them holds at genTime. */
async function servicesOf(
  list: TrustedList,
  facts: TokenFacts,
  untrusted: readonly Uint8Array[],
): Promise<readonly ListedService[]> {
  const wanted = [facts.signer.subject.der, facts.signer.issuer.der, ...issuersOf(untrusted)];
  const found: ListedService[] = [];
  for (const service of list.services) {
    for (const der of service.certificates) {
      const { subject } = listedNames(der);
      if (!wanted.some((name) => equal(name, subject))) continue;
      if (!(await isOf(readCertificate(der), facts, untrusted))) continue;
      found.push(service);
      break;
    }
  }
  return found;
}

const namesIn = new WeakMap<Uint8Array, CertificateNames>();

/** Of a certificate of the trust, read once for all tokens. */
function listedNames(der: Uint8Array): CertificateNames {
  const found = namesIn.get(der) ?? readCertificateNames(der);
  namesIn.set(der, found);
  return found;
}

function issuersOf(untrusted: readonly Uint8Array[]): readonly Uint8Array[] {
  return untrusted.flatMap((der) => {
    try {
      return [readCertificateNames(der).issuer];
    } catch (error) {
      if (isFault(error)) return [];
      throw error;
    }
  });
}

async function isOf(
  listed: Certificate,
  { signer, genTime }: TokenFacts,
  untrusted: readonly Uint8Array[],
): Promise<boolean> {
  const own = equal(listed.subject.der, signer.subject.der);
  if (own && equal(listed.keyInfo, signer.keyInfo)) return true;
  const { status } = await outcomeOf(
    async () => void (await pathAt(signer, untrusted, [listed], genTime)),
  );
  return status === "passed";
}

function judge(list: TrustedList, service: ListedService, genTime: Moment): Qualification {
  const title = titleOf(list);
  const starts = service.periods.filter((period) => momentOfText(period.start) <= genTime);
  const period = starts[starts.length - 1];
  const called = `${title}: ${service.name} of ${service.provider}`;
  if (!speaksOf(list, genTime)) {
    return answered("not checked", `${title} is too old to tell of genTime: take a newer one`);
  }
  if (period === undefined) {
    return answered("not qualified", `${called} was not listed yet at genTime`, title);
  }
  const said = `${called}, ${period.status} since ${period.start.slice(0, 10)}`;
  if (genTime < EIDAS) {
    return answered("not qualified", `${said}; nobody was qualified before 1 July 2016`, title);
  }
  if (period.type !== "QTST") {
    const reason = `${said}; not a service for qualified time-stamps`;
    return answered("not qualified", reason, title);
  }
  if (period.status !== "granted") {
    return answered("not qualified", `not qualified at genTime; ${said}`, title);
  }
  const answer = list.signer === undefined ? "qualified by an unsigned list" : "qualified";
  return answered(answer, `qualified at genTime; ${said}`, title);
}

function speaksOf(list: TrustedList, moment: Moment): boolean {
  const issued = momentOfText(list.issued);
  const next = list.next_update === undefined ? issued : momentOfText(list.next_update);
  return moment <= issued || moment <= next;
}

function titleOf(list: TrustedList): string {
  const unsigned = list.signer === undefined ? ", its signature not checked" : "";
  return `list ${list.territory} no. ${list.sequence} of ${list.issued.slice(0, 10)}${unsigned}`;
}
