"""Characters of symbol fonts, which have codes of their own: a Greek letter, an arrow, a ticked box.

Where Unicode has several that look alike, the one that people type and search for is taken: ☐ ☑ ☒ ✓ ✗ for what is ticked.
"""

import re

_GREEK = dict(zip(range(0x41, 0x5B), "ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ", strict=True)) | dict(
    zip(range(0x61, 0x7B), "αβχδεφγηιϕκλμνοπθρστυϖωξψζ", strict=True)
)


def _run(start: int, characters: str) -> dict[int, str]:
    """Characters for codes from `start` on."""
    return dict(enumerate(characters, start))


_SYMBOL = (
    {code: chr(code) for code in range(0x20, 0x7F)}
    | _GREEK
    | {
        **{0x22: "∀", 0x24: "∃", 0x27: "∋", 0x2A: "∗", 0x2D: "−", 0x40: "≅", 0x5C: "∴", 0x5E: "⊥", 0x60: "‾", 0x7E: "∼"},
        **_run(0xA0, "€ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…⏐⎯↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊〈®©™∑"),
        **_run(0xE6, "⎛⎜⎝⎡⎢⎣⎧⎨⎩⎪"),
        **_run(0xF1, "〉∫⌠⎮⌡⎞⎟⎠⎤⎥⎦⎫⎬⎭"),
    }
)
_WINGDINGS = {
    **_run(0x21, "✏✂✁👓🔔📖🕯☎✆✉🖃📪📫📬📭📁📂📄🗏🗐🗄⌛⌨🖰🖲🖳💾🖫🖬✇✍🖎✌👌👍👎☜☞☝☟🖐☺😐☹💣☠🏳🏱✈☼💧❄🕆✞🕈✠✡☪☯ॐ☸"),
    **_run(0x5E, "♈♉♊♋♌♍♎♏♐♑♒♓🙰🙵●❍■☐❐❑❒⬧⧫◆❖⬥☒⮹⌘❀✿❝❞"),
    **_run(0x80, "⓪①②③④⑤⑥⑦⑧⑨⑩⓿❶❷❸❹❺❻❼❽❾❿🙢🙠🙡🙣🙞🙜🙝🙟·•▪○🞆🞈◉◎🔿▪☐🟂✦★✶✴✹✵⯐⌖⟡⌑⯑✪✰🕐🕑🕒🕓🕔🕕🕖🕗🕘🕙🕚🕛"),
    **_run(0xC3, "⮰⮱⮲⮳⮴⮵⮶⮷🙪🙫🙕🙔🙗🙖🙐🙑🙒🙓⌫⌦⮘➢⮙⮛⮈➲⮉⮋←→↑↓↖↗↙↘🡸➔🡹🡻🡼🡽🡿🡾⇦⇨⇧⇩⬄⇳⬁⬀⬃⬂▭▫✗✓☒☑⊞"),
}
_WINGDINGS_2 = {
    **_run(0x21, "🖊🖋🖌🖍✄✀🕾🕽🗅🗆🗇🗈🗉🗊🗋🗌🗍📋🗑🗔🖵🖶🖷🖸🖭🖯🖱🖒🖓🖘🖙🖚🖛👈👉🖜🖝🖞🖟🖠🖡👆👇🖢🖣🖑✗✓☒☑☒☒⮾⮿🛇⦸🙱🙴🙲🙳‽🙹🙺🙻🙦🙤🙥🙧🙚🙘🙙🙛"),
    **_run(0x69, "⓪①②③④⑤⑥⑦⑧⑨⑩⓿❶❷❸❹❺❻❼❽❾❿"),
    **_run(0x80, "☉🌕☽☾⸿✝🕇🕜🕝🕞🕟🕠🕡🕢🕣🕤🕥🕦🕧🙨🙩⋅🞄⦁●○🞅🞇🞉⊙⦿🞌🞍◾■☐🞑🞒🞓🞔▣🞕🞖🞗🞘⬩⬥◇🞚◈🞛🞜🞝🞞⬪⬧◊🞠◖◗"),
}
_WINGDINGS_3 = {
    **_run(0x21, "←→↑↓↖↗↙↘⇆⭤⇅⭥⇄⇵"),
    **_run(0x66, "←→↑↓↖↗↙↘🡄🡆▲▼△▽◀▶◁▷◣◢◤◥◂▸▴"),
    **_run(0x80, "▾◂▸"),
}
_WEBDINGS = {
    **_run(0x21, "🕷🕸🕲🕶🏆🎖🖇🗨🗩🗰🗱🌶🎗🙾🙼🗕🗖🗗◀▶▲▼⏪⏩⏮⏭⏸⏹⏺🗚🗳🛠🏗🏘🏙🏚🏜🏭🏛🏠🏖🏝🛣🔍🏔👁👂🏞🏕🛤🏟🛳🔊🔇🔉🔈♥🎕🗬🗽🗭🗪🗫⮔"),
    **_run(0x61, "✓🚲☐🛡📦🛱■🚑ℹ🛩🛰🟈🕴●🛥🚔↻✗❓🛲🚇🚍⛳🛇⊖🚭🗮⏐🗯🗲"),
}
_DINGBATS = {code: chr(0x2701 + code - 0x21) for code in range(0x21, 0x7F)} | {
    **{0x25: "☎", 0x2A: "☛", 0x2B: "☞", 0x48: "★", 0x6C: "●", 0x6E: "■", 0x73: "▲", 0x74: "▼", 0x75: "◆", 0x77: "◗"},
    **_run(0xAC, "①②③④⑤⑥⑦⑧⑨⑩❶❷❸❹❺❻❼❽❾❿"),
}
_FONTS = {
    **{"symbol": _SYMBOL, "standardsymbols": _SYMBOL, "webdings": _WEBDINGS, "zapfdingbats": _DINGBATS, "monotypesorts": _DINGBATS},
    **{"wingdings": _WINGDINGS, "wingdings2": _WINGDINGS_2, "wingdings3": _WINGDINGS_3},
}
_UNNAMED = re.compile(r"[\s_-]|\(tt\)|mt$|ps(mt)?$|-?regular$|itc")
TICKS = "☐☑☒✓✗✔✘"
"""Marks that tell what was ticked, unlike other bullets."""


def _table(font: str) -> dict[int, str] | None:
    return _FONTS.get(_UNNAMED.sub("", font.lower()))


def is_symbol_font(font: str) -> bool:
    """Whether codes in this font aren't letters."""
    return _table(font) is not None


def symbol(font: str, code: int) -> str:
    """What a reader sees for a code in a font (0xF0xx means xx); empty for a picture that no character stands for."""
    low = code & 0xFF if 0xF000 <= code <= 0xF0FF else code
    known = _table(font)
    if known is None:
        return "" if 0xE000 <= code <= 0xF8FF or code > 0x10FFFF else chr(code)
    return known.get(low, chr(code) if low > 0xFF and code <= 0x10FFFF else " " if low in (0x20, 0xA0) else "")


def in_font(text: str, font: str) -> str:
    """What a reader sees of a text in a font."""
    if not font or _table(font) is None:
        return text
    return "".join(c if c in "\t\n" else " " if c == "\xa0" else _shown(c, font) for c in text)


def _shown(character: str, font: str) -> str:
    """A character in a symbol font; one that the font lacks, a dash, say, is borrowed from another."""
    code = ord(character)
    borrowed = character if code > 0xFF and not 0xE000 <= code <= 0xF8FF else ""
    return symbol(font, _code(character)) or borrowed


def _code(character: str) -> int:
    """A character's place in the font: programs write it as the letter that Windows has there, or as 0xF0xx."""
    code = ord(character)
    byte = character.encode("cp1252", errors="ignore") if code > 0xFF else b""
    return byte[0] if byte else code
