"""The colours of the pages. Each text keeps 4.5 to 1 against its ground (WCAG 2.2, 1.4.3)."""

from reportlab.lib.colors import HexColor

INK = HexColor("#1b2430")
SOFT = HexColor("#5b6675")
RULE = HexColor("#d5dae1")
PALE = HexColor("#f3f5f8")
GOOD = HexColor("#1f6f54")
GOOD_PALE = HexColor("#eaf4f0")
CARE = HexColor("#9a5b00")
CARE_PALE = HexColor("#fdf3e1")
