"""The SMTP and LMTP gateway: session facts in, replies out. Knows SMTP, not proofs."""
