/** What a verifier decides to believe (SPEC §8.1), as read from a trust file. */

export interface Trust {
  readonly services: readonly TrustedService[];
  readonly authorities: readonly TrustedAuthority[];
  readonly chains: readonly TrustedChain[];
  readonly lists: readonly TrustedList[];
  /** DER of the certificates of seal signers, each believed as it stands. */
  readonly seals: readonly Uint8Array[];
  /** How many distinct witnesses must pass. */
  readonly witnesses: number;
}

export interface TrustedService {
  readonly log: string;
  /** SubjectPublicKeyInfo (DER), P-256. */
  readonly keys: readonly Uint8Array[];
  /** Addresses, `0x` and 40 digits, lower case. */
  readonly senders: readonly string[];
}

export interface TrustedAuthority {
  readonly name: string;
  /** DER of the certificate that ends the path. */
  readonly certificate: Uint8Array;
  /** Object identifiers, dotted; empty: any policy. */
  readonly policies: readonly string[];
  readonly built_in: boolean;
  readonly revocation_required: boolean;
  readonly qualified_required: boolean;
}

export interface TrustedChain {
  /** Decimal digits, without a leading zero. */
  readonly chain_id: string;
  readonly name: string;
  /** Hashes of the blocks that are believed, headers leading back included; `0x` and 64 digits, lower case. */
  readonly blocks: ReadonlySet<string>;
  readonly development: boolean;
}

/** A national trusted list (SPEC §5.8). Times are §1.3's: text order is time order. */
export interface TrustedList {
  readonly territory: string;
  readonly sequence: number;
  readonly issued: string;
  /** Undefined: the list is closed. */
  readonly next_update: string | undefined;
  readonly sha256: Uint8Array;
  /** SHA-256 of the certificate that its signature was checked with; undefined: not checked. */
  readonly signer: Uint8Array | undefined;
  readonly services: readonly ListedService[];
}

export interface ListedService {
  readonly provider: string;
  readonly name: string;
  /** DER, 1 to 64. */
  readonly certificates: readonly Uint8Array[];
  /** In the order of time, 1 to 256. */
  readonly periods: readonly ListedPeriod[];
}

export interface ListedPeriod {
  readonly start: string;
  readonly status: string;
  readonly type: string;
}
