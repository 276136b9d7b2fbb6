"""Tables of figures: xlsx, csv, Excel's XML, old workbooks; numbers as the program shows them (`number_format`)."""
