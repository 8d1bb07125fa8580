"""A proof in words and tables, as a sealed PDF that holds the proof itself."""
