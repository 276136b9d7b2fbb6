"""Help that teaches by examples: what stands below a command's options, each of them tested to be understood."""

from collections.abc import Mapping


def examples(lines: Mapping[str, str]) -> str:
    """An epilog of command lines and what each does; "\\b" keeps them from being wrapped."""
    width = max(map(len, lines))
    return "\b\nExamples:\n" + "\n".join(f"  {line:{width}}  {what}".rstrip() for line, what in lines.items())


INGEST = examples(
    {
        "octavo ingest ~/papers": "read a folder, or what is new in it",
        "octavo ingest lease.pdf notes.md": "or single files",
        "octavo ingest ~/papers --watch": "and follow it",
        "octavo ingest": "what is new in all folders that were added",
        "octavo ingest ~/papers --exclude '*.csv'": "without tables",
        "octavo ingest ~/work --library work": "into a library of its own",
    }
)
ASK = examples(
    {
        "octavo ask who signed the lease": "no quotes are needed",
        'octavo ask "what\'s the rent?"': "but where the shell reads ' * ( & or >",
        "octavo ask what is the rent --in lease.pdf": "of one document, or a folder",
        "octavo ask summarise the annual report": "of all of it",
        "octavo ask who signed it --each --csv signed.csv": "of each document: a table",
        "octavo ask who signed the lease --json": "for programs",
    }
)
CHAT = examples(
    {
        "octavo chat": 'ask, and ask on: "and who signed it?"',
        "octavo chat --library work --in ~/work/contracts": "of a folder",
        "octavo chat --json < questions.txt": "a line of JSON for each line",
    }
)
LIST = examples(
    {
        "octavo list": "the libraries",
        "octavo list --library default": "the documents of one",
        "octavo list --library work --json": "for programs",
    }
)
SHOW = examples(
    {
        "octavo show lease.pdf": "what was read of it",
        "octavo show ~/papers/lease.pdf --pages 2-4,7": "of some pages",
        "octavo show lease.pdf --json": "for programs",
    }
)
STATUS = examples({"octavo status": "", "octavo status --library work --json": ""})
VERIFY = examples({"octavo verify": "look", "octavo verify --repair": "look, and mend"})
PEOPLE = examples(
    {
        "octavo people add Ada": "a name, whose password it asks for; the first is the owner",
        "octavo people": "who there is",
        "octavo people remove Ada": "and all of Ada's conversations",
    }
)
REMOVE = examples({"octavo remove ~/papers/old.pdf": "a file", "octavo remove ~/papers/2019": "a folder"})
REEMBED = examples({"octavo reembed intfloat/multilingual-e5-small": "from the hub", "octavo reembed ./my-embedder": "a directory"})
FOLDERS = examples({"octavo folders": "", "octavo folders --forget ~/papers --library work": ""})
RENAME = examples({"octavo rename default papers": ""})
DELETE = examples({"octavo delete old": "asks first", "octavo delete old --yes": "doesn't"})
EXPORT = examples({"octavo export papers.octavo": "", "octavo export work.octavo --library work": ""})
IMPORT = examples({"octavo import papers.octavo --library copy": ""})
EXPORT_MODEL = examples(
    {
        "octavo export-model ollama:gemma2:2b ~/gemma-2-2b": "for transformers",
        "octavo export-model ~/my-gemma my-gemma.gguf": "for llama.cpp and Ollama",
    }
)
APP = examples({"octavo app": "", "octavo app --port 9000": ""})
SERVE = examples({"octavo serve": "the library `default`", "octavo serve --library work --port 9000": "another, on another port"})
MCP = examples({"octavo mcp --library work": "on stdin and stdout, as agents start it", "octavo mcp --port 9001": "over HTTP"})
DOCTOR = examples(
    {
        "octavo doctor": "this machine, the settings, all libraries",
        "octavo doctor --model ~/gemma-2-9b-it": "would this model run here?",
        "octavo doctor --json": "for programs",
    }
)
EVAL = examples(
    {
        "octavo eval questions.jsonl --library work": "ask them all",
        "octavo eval questions.jsonl --library work --out a.jsonl": "and keep the answers",
        "octavo eval --compare a.jsonl b.jsonl": "is b better?",
        "octavo eval --retrieval corpus.jsonl queries.jsonl": "finding alone",
    }
)
CALIBRATE = examples({"octavo calibrate questions.jsonl --library work": ""})
MAIN = examples(
    {
        "octavo ingest ~/papers": "read your documents",
        "octavo ask who signed the lease": "ask them",
        "octavo chat": "ask on",
        "octavo app": "ask on a page in the browser",
        "octavo COMMAND --help": "examples of each",
    }
)
