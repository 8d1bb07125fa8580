"""Reproducible comparisons with the peers that DESIGN names; README.md says how to read them."""
