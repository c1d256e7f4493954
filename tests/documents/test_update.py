"""`update` fills and corrects value links and regions, byte for byte elsewhere."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factbook.documents.parse import parse
from factbook.documents.update import drawings, update

CASES = [
    ("[](fact:performance/fnr)", "[19.5 % (95 % CI 14.2–26.3)](fact:performance/fnr)"),
    ("[19.6 %](fact:performance/fnr)", "[19.5 %](fact:performance/fnr)"),
    ("[**19.6** %](fact:performance/fnr)", "[19.5 %](fact:performance/fnr)"),
    ("[33 of 164](fact:performance/fnr)", "[32 of 164](fact:performance/fnr)"),
    ("[about 20 %](fact:performance/fnr)", "[about 20 %](fact:performance/fnr)"),
    ("[0 %](fact:performance/fnr?age_band=60+)", "[undefined](fact:performance/fnr?age_band=60+)"),
    ("[1](fact:performance/fnr#n)", "[164](fact:performance/fnr#n)"),
    ("[x][f]\n\n[f]: fact:performance/fnr", "[19.5 % (95 % CI 14.2–26.3)][f]\n\n[f]: fact:performance/fnr"),
    ("[30 points](fact:derived/extra-misses)", None),
    ("[](gap:ethnicity)", "[not recorded at any site](gap:ethnicity)"),
    ("[not known](gap:ethnicity)", "[not known](gap:ethnicity)"),
    ("[](policy:latency)", "[answers within 300 ms](policy:latency)"),
    ("[13 EUR](declared:cost)", "[12 EUR](declared:cost)"),
    ("[](claim:young-missed-more)", "[](claim:young-missed-more)"),
    ("[young are missed less](claim:young-missed-more)", "[young are missed less](claim:young-missed-more)"),
    ("[9 %](fact:performance/nope)", "[9 %](fact:performance/nope)"),
    ("[9 %](fact:nonsense)", "[9 %](fact:nonsense)"),
    ("`[9 %](fact:performance/fnr)`", "`[9 %](fact:performance/fnr)`"),
    ("| a |\n|---|\n| [9 %](fact:performance/fnr) |", "| a |\n|---|\n| [20 %](fact:performance/fnr) |"),
]


@pytest.mark.parametrize(("before", "after"), CASES)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_links(catalog, before: str, after: str | None, end: str) -> None:
    frame = "é  two spaces\t\n\n{}\n\n* odd   list\n+ other\n"
    source = frame.format(before).replace("\n", end)
    result = update(parse(source), catalog).decode()
    if after is None:
        assert "points](fact:derived/extra-misses)" in result
        assert result != source
    else:
        assert result == frame.format(after).replace("\n", end)
    assert update(parse(result), catalog).decode() == result


def test_regions_are_filled_where_they_stand(catalog) -> None:
    source = "> <!-- fact:table performance by=age_band metrics=n,fnr -->\n> old\n> <!-- /fact -->\n\ntail\n"
    result = update(parse(source), catalog)
    (region,) = parse(result).regions
    assert len(region.rows) == 5
    assert not region.stray
    assert result.endswith(b"> <!-- /fact -->\n\ntail\n")
    assert update(parse(result), catalog) == result


def test_charts_are_drawn_once_each(catalog) -> None:
    chart = '![FNR](../evidence/figures/performance-fnr-age_band.svg "fact:chart performance metric=fnr by=age_band")'
    drawn = drawings(parse(f'{chart}\n\n{chart}\n\n![other](x.png)\n\n![bad](x.svg "fact:chart nope metric=x by=y")\n'), catalog)
    assert list(drawn) == ["evidence/figures/performance-fnr-age_band.svg"]
    assert drawn["evidence/figures/performance-fnr-age_band.svg"].startswith(b"<svg")


@given(text=st.text(alphabet="ab [](){}*_`<>|\\\n-#0123456789.%&!", max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_no_value_link_is_not_touched(catalog, text: str) -> None:
    assert update(parse(text), catalog) == text.encode()
