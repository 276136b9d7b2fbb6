"""`octavo`, and `python -m app`. Ctrl-C while the command is being loaded ends it without a word, as it does later."""

import sys

try:
    from app.cli import main
except KeyboardInterrupt:
    sys.exit(130)

if __name__ == "__main__":
    main()
