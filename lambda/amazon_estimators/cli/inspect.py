"""Implement ``inspect``: show the contents of RecordIO files, a RecordSet or a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from amazon_estimators.cli.files import profile_beside, readables, record_set_of
from amazon_estimators.cli.predict import is_model, show_models
from amazon_estimators.cli.terminal import Counted, as_json, byte_progress, output, print_json
from amazon_estimators.errors import RecordSetError
from amazon_estimators.record_sets.keys import PROFILE
from amazon_estimators.text import counted

if TYPE_CHECKING:
    from amazon_estimators.cli.record_summary import RecordSummary
    from amazon_estimators.record_sets.profiles.document import ProfileDocument

BAR = 40


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path())
@click.option("--records", default=3, type=click.IntRange(0), help="Number of records to show. Default: 3.")
@click.option(
    "--features",
    default=10,
    type=click.IntRange(0),
    help="Number of features to show ranges of. Default: 10.",
)
@click.option(
    "--bins", default=10, type=click.IntRange(1, 100), help="Bars of the label histogram. Default: 10."
)
@click.option(
    "--against",
    metavar="RECORDSET",
    help="List the features whose distribution moved since this RecordSet.",
)
@as_json
def inspect(  # noqa: PLR0917 - click passes options by name
    files: tuple[str, ...], records: int, features: int, bins: int, against: str | None, as_json: bool
) -> int:
    """Show a summary of FILES, their first records, a histogram of the labels and the range of each feature.

    FILES are paths or S3 URIs of .pbr files, manifests, directories or S3 prefixes. For models
    (model.tar.gz) it shows the algorithm and the facts that the arrays reveal. For a RecordSet with a
    profile it draws the distribution of each feature and repeats the warnings. --against reads only the two
    profiles.
    """
    if against is not None:
        return _compare(files, against, features, as_json=as_json)
    if models := [name for name in files if is_model(name)]:
        if len(models) < len(files):
            raise click.UsageError("inspect models and RecordIO files in separate commands")
        return show_models(models, as_json=as_json)
    from amazon_estimators.cli.record_summary import RecordSummary  # noqa: PLC0415 - numpy is slow to import

    inputs = readables(files)
    profile = RecordSummary(first=records)
    with byte_progress("Reading", sum(entry.size for entry in inputs)) as read:
        for entry in inputs:
            with entry.open() as file:
                profile.add(Counted(file, entry.name, read), entry.name)
    from amazon_estimators.cli.feature_tables import print_profile, profile_facts  # noqa: PLC0415

    document = profile_beside(record_set) if (record_set := record_set_of(files)) else None
    if as_json:
        facts = {"files": len(inputs), **profile.facts(bins=bins, features=features)}
        print_json({**facts, "profile": document and profile_facts(document, features)})
    else:
        _print(profile, len(inputs), bins, features if document is None else 0)
        if document is not None:
            print_profile(document, features)
    return 0


def _compare(files: tuple[str, ...], against: str, features: int, *, as_json: bool) -> int:
    from amazon_estimators.cli.feature_tables import comparison_facts, print_comparison  # noqa: PLC0415
    from amazon_estimators.record_sets.profiles.comparison import compare  # noqa: PLC0415

    if len(files) != 1:
        raise click.UsageError(f"--against compares one RecordSet; FILES names {len(files)}")
    comparison = compare(_profile(against), _profile(files[0]))
    if as_json:
        print_json(comparison_facts(comparison))
    else:
        print_comparison(comparison, features)
    return 0


def _profile(name: str) -> ProfileDocument:
    """Return the profile of a RecordSet.

    Raises:
        RecordSetError: It has none.
    """
    document = profile_beside(name)
    if document is None:
        raise RecordSetError(
            f"{name} has no {PROFILE} beside its manifest: an older release made the RecordSet, or it holds "
            "text or more than 100,000 features, which are not profiled",
            remedy="Make a RecordSet of an older release again.",
        )
    return document


def _print(profile: RecordSummary, files: int, bins: int, features: int) -> None:
    facts = profile.facts(bins=bins, features=features)
    kind = "sparse" if facts["sparse"] else "dense"
    output().print(
        f"[bold]{counted(facts['records'], 'record')}[/] of {counted(facts['feature_dim'], 'feature')}, "
        f"{kind} {facts['dtype']}, {'labelled' if facts['labels'] else 'without labels'}; "
        f"{counted(files, 'file')}, {facts['bytes']:,} bytes",
        soft_wrap=True,
    )
    for index, record in enumerate(facts["first"]):
        label = "" if record["label"] is None else f"label {record['label']:g}: "
        output().print(f"  {index}  {label}{_features(record)}", markup=False, soft_wrap=True)
    if facts["labels"]:
        output().print(_histogram(facts["labels"]))
    if facts["ranges"]:
        output().print(_ranges(facts["ranges"], facts["feature_dim"]))


def _features(record: dict[str, Any]) -> str:
    features = record["features"]
    if isinstance(features, dict):
        values = [f"{key}: {value:g}" for key, value in features.items()]
    else:
        values = [f"{value:g}" for value in features]
    return f"[{', '.join(values)}{', …' if record['features_not_shown'] else ''}]"


def _histogram(labels: list[dict[str, Any]]) -> Table:
    table = Table("label", "records", "", title="Labels", title_justify="left", box=None)
    most = max(label["records"] for label in labels) or 1
    for label in labels:
        length = -(-BAR * label["records"] // most)
        named = f"{label['label']:g}" if "label" in label else f"{label['from']:g} … {label['to']:g}"
        table.add_row(named, f"{label['records']:,}", f"[cyan]{'█' * length}[/]")
    return table


def _ranges(ranges: list[dict[str, Any]], feature_dim: int) -> Table:
    more = f", the first {len(ranges)} of {feature_dim:,}" if len(ranges) < feature_dim else ""
    table = Table(
        "feature", "least", "mean", "most", "zeros", title=f"Features{more}", title_justify="left", box=None
    )
    for span in ranges:
        numbers = (f"{span[name]:g}" for name in ("least", "mean", "most"))
        table.add_row(str(span["feature"]), *numbers, f"{span['zeros']:.0%}")
    return table
