"""Writes src/mail/unicode14_data.ts. Needs a Python whose `unicodedata` is Unicode 14.0: 3.11.

python3.11 unicode14.py > src/mail/unicode14_data.ts
"""

import unicodedata
from collections.abc import Callable

END = 0x110000


def flips(holds: Callable[[str], bool]) -> str:
    """Where `holds` changes, from "no" before 0, as differences between neighbours in base 36."""
    points: list[int] = []
    before = False
    for code_point in range(END):
        now = holds(chr(code_point))
        if now != before:
            points.append(code_point)
        before = now
    if before:
        points.append(END)
    return " ".join(
        base36(point - previous) for point, previous in zip(points, [0, *points], strict=False)
    )


def base36(number: int) -> str:
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    text = ""
    while number or not text:
        number, digit = divmod(number, 36)
        text = digits[digit] + text
    return text


def wrapped(name: str, text: str) -> str:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) > 100:
            lines.append("")
        lines[-1] += word + " "
    body = "\n".join(line.rstrip() for line in lines)
    return f"export const {name} = `\n{body}\n`;"


def main() -> None:
    if unicodedata.unidata_version != "14.0.0":
        raise SystemExit(f"Unicode {unicodedata.unidata_version} is not 14.0.0")
    print("/** Unicode 14.0, made by ../../unicode14.py; the notation is explained there. */\n")
    print("/** Assigned: General_Category is not Cn. */")
    print(wrapped("ASSIGNED", flips(lambda character: unicodedata.category(character) != "Cn")))
    print("\n/** Non-starters: canonical combining class is not 0. */")
    print(wrapped("NON_STARTERS", flips(lambda character: unicodedata.combining(character) != 0)))


if __name__ == "__main__":
    main()
