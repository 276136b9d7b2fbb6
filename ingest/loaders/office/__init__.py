"""Word processing and slides: docx, pptx, OpenDocument, RTF, Word's XML; old files through LibreOffice (`legacy`).

A module of a format's own name reads it; those beside it (`docx_text`, `odf_lists`, ...) are its parts. Shared are `ooxml` (what
Microsoft's formats have in common), `numbering`, `number_words` and `nesting` (lists), `formula` with `omml` and `mathml`
(mathematics on a line), `field_code`, `symbols` (fonts of pictures) and `reading_order` (shapes by their place).
"""
