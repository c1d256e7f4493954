"""The commands. Each parses its arguments, calls one method of `Book` and shows what came back; nothing heavy is imported before it is needed."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from factbook import __version__

if TYPE_CHECKING:
    from factbook.book import Book

app = typer.Typer(name="factbook", rich_markup_mode=None, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

Where = Annotated[Path, typer.Argument(metavar="BOOK", help="The folder that holds factbook.yaml.", show_default="here")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for a machine.")]
Rehash = Annotated[bool, typer.Option("--rehash", help="Read every source again, even where size and time have not changed.")]
On = Annotated[datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], metavar="DATE", help="Judge as of this day.", show_default="today")]
HERE = Path()


def run(arguments: list[str]) -> int:
    """Parse and run; usage errors are printed here."""
    from factbook.cli import commands

    commands.load()
    command = typer.main.get_command(app)
    try:
        code = int(command.main(arguments, prog_name="factbook", standalone_mode=False) or 0)
    except SystemExit as left:
        if isinstance(left.__context__, BrokenPipeError):
            raise left.__context__ from None
        raise
    except typer.Abort as error:
        raise KeyboardInterrupt from error
    except Exception as error:
        if not hasattr(error, "show") or not hasattr(error, "exit_code"):
            raise
        error.show()
        return int(error.exit_code)
    from factbook.cli import INTERRUPTED

    if code == INTERRUPTED:  # typer makes an exit code of Ctrl-C
        raise KeyboardInterrupt
    return code


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"factbook {__version__}")
        raise typer.Exit


@app.callback()
def _root(version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False) -> None:
    """Documents for AI systems whose numbers are links to facts: a false one fails the build."""


def open_book(where: Path) -> Book:
    from factbook.book import Book
    from factbook.cli.progress import progress

    return Book(where, progress=progress())


@app.command()
def init(
    where: Annotated[Path, typer.Argument(metavar="BOOK", help="The folder to make; it must not exist yet.")],
    data: Annotated[str, typer.Option(help="The predictions: a CSV or Parquet file, or a glob.", prompt_required=False)] = "",
    label: Annotated[str, typer.Option(help="The column of the true outcome.")] = "",
    positive: Annotated[str, typer.Option(help="The value of the label that counts as positive.")] = "",
    prediction: Annotated[str, typer.Option(help="The column of the prediction.")] = "",
    score: Annotated[str, typer.Option(help="The column of the score: higher means more likely positive.")] = "",
    cut: Annotated[str, typer.Option(help="The score from which a case counts as predicted positive.", show_default="0.5")] = "",
    key: Annotated[str, typer.Option(help="The column that tells the rows apart.")] = "",
    weight: Annotated[str, typer.Option(help="The column of the row weights.")] = "",
    by: Annotated[list[str] | None, typer.Option(help="Groups: a column, or COLUMN:CUT,CUT for bands. Repeatable.")] = None,
    protected: Annotated[list[str] | None, typer.Option(help="ATTRIBUTE=GROUP: compare its groups with this one. Repeatable.")] = None,
    missing: Annotated[list[str] | None, typer.Option(help="ROLE=POLICY, e.g. label=drop or group=group. Repeatable.")] = None,
    abstain: Annotated[str, typer.Option(help="The prediction that means `no decision`.")] = "",
    train: Annotated[str, typer.Option(help="The training data, to be described too.")] = "",
    logs: Annotated[str, typer.Option(metavar="FOLDER", help="The folder that Inspect or lm-eval wrote its logs to.")] = "",
    tracked: Annotated[str, typer.Option("--run", metavar="RUN", help="The run of a tracker, to be described too: its id, or EXPERIMENT/NAME.")] = "",
    tracker: Annotated[str, typer.Option(help="Where MLflow keeps it: a file, a folder or an address.", show_default="as MLflow has it")] = "",
    separator: Annotated[str, typer.Option(help="The separator of a CSV file.", show_default="tried")] = "",
    encoding: Annotated[str, typer.Option(help="The encoding of a CSV file.")] = "utf-8",
    name: Annotated[str, typer.Option(help="What the documented model is called.", show_default="the folder's name")] = "",
) -> int:
    """Start a book and a model card over predictions."""
    from factbook.book import Book
    from factbook.cli import show
    from factbook.cli.progress import progress

    book, notes = Book.init(
        where,
        data=data or ("" if logs or tracked else _ask("Which file holds the predictions?", "--data")),
        label=label or ("" if (logs or tracked) and not data else _ask("Which column holds the true outcome?", "--label")),
        positive=positive,
        prediction=prediction,
        score=score,
        cut=cut,
        key=key,
        weight=weight,
        by=tuple(by or ()),
        protected=tuple(protected or ()),
        missing=tuple(missing or ()),
        abstain=abstain,
        train=train,
        logs=logs,
        run=tracked,
        tracker=tracker,
        separator=separator,
        encoding=encoding,
        name=name,
        progress=progress(),
    )
    show.begun(book, notes)
    return 0


def _ask(question: str, option: str) -> str:
    """Ask a person; where there is none, say which option is missing."""
    import sys

    if not sys.stdin.isatty():
        raise typer.BadParameter(f"it is required: {question}", param_hint=option)
    return str(typer.prompt(question))


@app.command()
def new(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="A kind of document; --list names all.", show_default=False)] = "",
    where: Where = HERE,
    name: Annotated[str, typer.Option(help="The file's name, without .md.", show_default="the kind")] = "",
    pack: Annotated[str, typer.Option(metavar="FOLDER", help="With `new kind NAME`: the pack that gets it.", show_default="NAME-pack")] = "",
    listed: Annotated[bool, typer.Option("--list", help="Name all kinds of document.")] = False,
    json: Json = False,
) -> int:
    """Begin a document, its facts already bound. `new kind NAME` begins a kind of your own."""
    from factbook.cli import show

    if listed:
        from factbook.documents import kinds

        show.listed([{"name": known, "title": kinds.load(known).title, "about": kinds.load(known).about} for known in kinds.names()], json=json)
        return 0
    if not kind:
        raise typer.BadParameter("name the kind of document; --list names all", param_hint="KIND")
    if kind == "kind":
        from factbook.book import Book

        show.begun_kind(Book.new_kind(str(where), pack))
        return 0
    book = open_book(where)
    show.document(book, *book.new(kind, name=name))
    return 0


@app.command()
def measure(
    where: Where = HERE,
    names: Annotated[list[str] | None, typer.Option("--only", help="Only this measurement of the plan. Repeatable.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Measure even what is up to date.")] = False,
    add: Annotated[str, typer.Option(metavar="FILE", help="Make a file a further part of a source; only it is counted.")] = "",
    source: Annotated[str, typer.Option(metavar="NAME", help="Which source gets it.", show_default="the only one")] = "",
    rehash: Rehash = False,
    json: Json = False,
) -> int:
    """Measure what is missing or out of date."""
    from factbook.cli import show

    if source and not add:
        raise typer.BadParameter("it says which source gets the file of --add", param_hint="--source")
    outcomes = open_book(where).measure(tuple(names or ()), force=force, rehash=rehash, add=add, source=source)
    show.outcomes(outcomes, json=json)
    return 0


@app.command()
def update(where: Where = HERE) -> int:
    """Bring the numbers of documents up to the evidence."""
    from factbook.cli import show

    book = open_book(where)
    show.changed(book, book.update())
    return 0


@app.command()
def check(
    where: Where = HERE,
    require_sources: Annotated[bool, typer.Option("--require-sources", help="A source that is not here is a finding.")] = False,
    rehash: Rehash = False,
    on: On = None,
    explain: Annotated[str, typer.Option("--explain", metavar="CODE", help="Print the manual page of a rule, and check nothing.")] = "",
    form: Annotated[str, typer.Option("--format", help="text, json, sarif, junit, github, markdown, or a form of a pack.")] = "text",
    output: Annotated[Path | None, typer.Option("--output", help="Write it into this file.", show_default="stdout")] = None,
    json: Json = False,
) -> int:
    """Check every document against the evidence."""
    from factbook.cli import show

    if explain:
        show.page(explain)
        return 0
    _known(form)
    book = open_book(where)
    report = book.check(require_sources=require_sources, rehash=rehash, on=on and on.date())
    if form in _SHOWN:
        show.report(book, report, json=json or form == "json")
    else:
        show.written(book.written(report, form), output)
    return _code(report)


_SHOWN = ("text", "json")


def _known(form: str) -> None:
    """Refuse a form that there is not, before anything is checked."""
    from factbook import shelf
    from factbook.errors import UnknownName

    if form in _SHOWN:
        return
    try:
        shelf.find("reports", form)
    except UnknownName as error:
        raise UnknownName("format", form, (*_SHOWN, *shelf.modules("reports"))) from error


@app.command()
def build(
    where: Where = HERE,
    targets: Annotated[list[str] | None, typer.Option("--to", help="html, markdown or pdf. Repeatable.", show_default="all that can be made")] = None,
    rehash: Rehash = False,
    json: Json = False,
) -> int:
    """Measure, check and publish; edits no document."""
    from factbook.cli import show

    book = open_book(where)
    built = book.build(tuple(targets or ()), rehash=rehash)
    show.built(book, built, json=json)
    return _code(built.report)


def _code(report: Any) -> int:
    from factbook.cli import FINDINGS

    return FINDINGS if report.failed else 0


@app.command()
def facts(
    where: Where = HERE,
    pattern: Annotated[str, typer.Argument(metavar="[PATTERN]", help="A key, or a pattern with * and ?.", show_default=False)] = "",
    json: Json = False,
) -> int:
    """List the facts of a book."""
    from factbook.cli import show

    show.facts(open_book(where).facts(pattern), json=json)
    return 0


@app.command()
def demo(
    where: Annotated[Path, typer.Argument(metavar="DIR", help="Where to put the book.")] = Path("diabetes-book"),
) -> int:
    """Train a model and document it, all the way."""
    from factbook.book import Book
    from factbook.cli import show
    from factbook.cli.progress import progress
    from factbook.demo import HEADLINES

    book, built = Book.demo(where, progress=progress())
    show.demo(book, built, HEADLINES)
    return _code(built.report)
