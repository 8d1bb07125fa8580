/** A value of canonical JSON (SPEC §1.1). */
export type Json = string | number | boolean | Json[] | { [key: string]: Json };
