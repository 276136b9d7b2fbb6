"""One ingest run. In: paths to add. Out: documents, chunks and vectors in the store, and a receipt with a line for each file.

`plan` compares the disk with the library, `worker` reads and cuts files in processes that can be killed, `pipeline` commits
each file and embeds its chunks, `progress` tells how far it is and keeps the `receipt`. `watch` starts runs when files change.
"""
