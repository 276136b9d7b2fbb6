"""One ingest run. In: paths to add. Out: documents, chunks and vectors in the store, and a receipt with a line for each file.

`plan` compares the disk with the library and heeds patterns (`ignore`), `worker` reads and cuts files in processes (`child`) that
can be killed, have no network and no more than their share of the machine (`limits`), `pipeline` commits each file and embeds its
chunks, `progress` tells how far it is and keeps the `receipt`. `watch` starts runs when files change.
"""
