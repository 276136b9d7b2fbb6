"""Whole documents: what can't be answered from a few passages is done over all of a document, or over each document of many.

`task.py` recognises the kind of task and `names.py` the documents; each kind has one module that reads them (`document.py`) and
yields parts of an Answer: quoting.py and writing.py (summarise, compare), patterns.py (every), compute.py over tables.py, each.py
(each, which).
"""
