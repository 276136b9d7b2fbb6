"""PDF: what a page shows, in the order in which it is read.

`document` goes page by page: `words` and `chars` take letters from PDFium, `raised` and `direction` set raised figures and
right-to-left text straight, `fonts` leaves out what tells no letters, `columns` and `layout` find lines in reading order, `rules`
and `tables` the tables, `headings` the titles, `breaks` and `pages` join what line and page ends part. `unread` sees what the
text layer lacks, and `recognised` has OCR read it; `annotations` and `forms` give remarks, fields and boxes to tick.
"""
