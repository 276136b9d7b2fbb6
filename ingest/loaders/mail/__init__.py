"""Letters: eml and mbox (`message`, `mbox`, `headers`), Outlook's (`outlook`), and the files in them (`attachments`)."""
