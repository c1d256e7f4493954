from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from factbook.charts import ChartSpec, path
from factbook.errors import DocumentError

REFUSED = yaml.safe_load((Path(__file__).parents[1] / "cases/charts/refused.yaml").read_text())
names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,8}", fullmatch=True)
attributes = st.lists(
    st.text(st.characters(blacklist_categories=["C", "Z"], blacklist_characters=","), min_size=1, max_size=6), min_size=1, max_size=3, unique=True
)
specs = st.builds(ChartSpec, names, names, attributes.map(tuple)) | st.builds(ChartSpec, names, kind=st.just("confusion"))


def test_a_title_is_read() -> None:
    spec = ChartSpec.parse("fact:chart fairness by=age_band,sex metric=fnr kind=intervals")
    assert spec == ChartSpec("fairness", "fnr", ("age_band", "sex"), "intervals")
    assert str(spec) == "fact:chart fairness metric=fnr by=age_band,sex"


def test_names_with_blanks_are_quoted() -> None:
    assert ChartSpec.parse("fact:chart fairness metric=fnr 'by=age band'").by == ("age band",)


@pytest.mark.parametrize(("title", "said"), REFUSED)
def test_what_is_no_chart_is_refused(title: str, said: str) -> None:
    with pytest.raises(DocumentError) as caught:
        ChartSpec.parse(title)
    assert said in str(caught.value)


@given(specs)
def test_what_is_written_is_read_again(spec: ChartSpec) -> None:
    assert ChartSpec.parse(str(spec)) == spec


def test_the_file_is_named_after_what_it_shows() -> None:
    assert path(ChartSpec("fairness", "fnr", ("age_band",))) == "evidence/figures/fairness-fnr-age_band.svg"
    assert path(ChartSpec("performance", kind="confusion")) == "evidence/figures/performance.confusion.svg"


@given(specs, specs)
def test_different_charts_have_different_files_on_every_file_system(one: ChartSpec, other: ChartSpec) -> None:
    assume(one != other)
    assert path(one).casefold() != path(other).casefold()


@given(specs)
def test_a_file_never_leaves_its_folder(spec: ChartSpec) -> None:
    assert path(spec).startswith("evidence/figures/")
    assert path(spec).count("/") == 2
    assert path(spec).isascii()
