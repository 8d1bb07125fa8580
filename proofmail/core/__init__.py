"""What a proof is: frozen.

Old proofs depend on the bytes that this room produces. A change of output here, for any input, is
a wrong "differs" or a wrong "verified" years later. So nothing here is corrected in place: a
better rule or format is a new version beside the old one, and the old one stays.

Pure by contract: values in, values out; no files, sockets, clock, dice, settings or logging.
"""
