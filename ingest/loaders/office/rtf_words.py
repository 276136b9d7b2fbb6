"""The words of Rich Text Format that its reader has to know by name: what is skipped, signs, character sets."""

import codecs

SKIPPED = set(
    """
    colortbl info pict objdata nonshppict listtable listoverridetable rsidtbl generator xe tc sn sv bkmkstart bkmkend
    pntxta pntxtb filetbl revtbl themedata datastore latentstyles datafield atnid atnref atndate atrfstart atrfend ftnsep ftnsepc
    aftnsep aftnsepc mmathPict mctrlPr mmathPr xmlnstbl txe rxe background private panose falt fontemb do objclass objname template
    passwordhash mhtmltag ffname ffformat ffhelptext ffstattext ffentrymcr ffexitmcr
    """.split()
)
STARRED = {"shpinst", "annotation", "atnauthor", "footnote", "ud", "shppict", "moMath", "moMathPara"}
"""Destinations that a reader who doesn't know them should skip, and that hold text or pictures all the same."""
FIELD = {"fldinst", "formfield", "ffl", "ffdeftext"}
"""Destinations that tell what a field is."""
SIDE = set("footnote annotation atnauthor header headerl headerr headerf footer footerl footerr footerf".split())
SIGNS = {
    "tab": "\t",
    "line": "\n",
    "lbr": "\n",
    "emdash": "—",
    "endash": "–",
    "bullet": "•",
    "lquote": "‘",
    "rquote": "’",
    "ldblquote": "“",
}
SIGNS |= {"rdblquote": "”", "emspace": " ", "enspace": " ", "qmspace": " "}
CHARSETS = {
    77: "mac_roman",
    128: "cp932",
    129: "cp949",
    130: "johab",
    134: "gbk",
    136: "big5",
    161: "cp1253",
    162: "cp1254",
    163: "cp1258",
}
CHARSETS |= {177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250", 255: "cp850"}
_PAGES = {0: "cp1252", 10000: "mac_roman", 65001: "utf-8", 936: "gbk", 949: "cp949", 1361: "johab"}


def page(number: int) -> str:
    """Python's name of a Windows code page."""
    name = _PAGES.get(number, f"cp{number}")
    try:
        codecs.lookup(name)
    except LookupError:
        return "cp1252"
    return name
