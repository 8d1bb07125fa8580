/**
 * What an Outlook file (.msg) says (SPEC §10.6), as types. `readMsg` of msg.ts makes a message,
 * `unpackedRtf` of rtf_packed.ts and `readRtf` of rtf.ts read its rich text; each throws Unreadable.
 * An undefined value is one that the file does not have, or not in a way that can be read.
 */

/** A sender or recipient. `address` is undefined where there is none of SMTP. */
export interface Person {
  readonly name: string;
  readonly address: string | undefined;
  /** 1 To, 2 Cc, 3 Bcc; 0 for a sender, and where it is not said. */
  readonly kind: number;
}

export interface Attachment {
  readonly name: string | undefined;
  readonly shownName: string | undefined;
  /** Undefined for a link, an object, or a message. */
  readonly data: Uint8Array | undefined;
  /** A message, kept in another form than a mail's. */
  readonly embedded: boolean;
  /** Not shown in the list of attachments: it stands in the text. */
  readonly hidden: boolean;
  /** Empty where there is none. */
  readonly contentId: string;
  readonly contentLocation: string;
}

export interface OutlookMessage {
  readonly messageClass: string;
  readonly subject: string | undefined;
  /** The header as it came. */
  readonly headers: string | undefined;
  /** `YYYY-MM-DDTHH:MM:SSZ`, cut to whole seconds. */
  readonly submitted: string | undefined;
  /** Who the mail is from, and who sent it for them. */
  readonly represented: Person | undefined;
  readonly sender: Person | undefined;
  readonly recipients: readonly Person[];
  /** The lines of names that Outlook keeps beside the recipients. */
  readonly shownTo: string | undefined;
  readonly shownCc: string | undefined;
  readonly body: string | undefined;
  /** Whether there is a plain text, readable or not. */
  readonly hasBody: boolean;
  /** `charset` is one of §3.4, if that is known. */
  readonly html: { readonly octets: Uint8Array; readonly charset: string | undefined } | undefined;
  /** Packed, as it stands in the file. */
  readonly rtf: Uint8Array | undefined;
  readonly attachments: readonly Attachment[];
}

/** What a rich text encloses, and what it says by itself. */
export interface RichText {
  /** `native` encloses nothing: `text` and `shown` are then empty, and it has no `fields`. */
  readonly kind: "html" | "text" | "native";
  readonly text: string;
  /** What a program shows that displays the RTF itself. */
  readonly shown: string;
  /** What the RTF says of its fields, such as `HYPERLINK "https://a.example/"`. */
  readonly fields: readonly string[];
}
