"""Corpora of images: made and real ones; hashes equal to ImageHash, near-duplicates to comparing all pairs."""

from __future__ import annotations

import zipfile
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planned_measures import golden

from factbook import measures, sources
from factbook.errors import SourceError
from factbook.manifest import Source
from factbook.measures import duplicates, image_corpus
from factbook.model import Measured, Status, silent
from factbook.sources import images
from measuring import manifest, shared

Image = pytest.importorskip("PIL.Image")


def pictures(root, count=24, seed=0):
    """Smooth random images in two folders, as PNG and JPEG; a copy, a paler copy, a copy under another label, a grey one and two broken files."""
    random = np.random.default_rng(seed)
    made = []
    for i in range(count):
        coarse = Image.fromarray(random.integers(0, 256, (6, 6, 3)).astype(np.uint8))
        made.append(coarse.resize((40 + i % 3, 30), Image.Resampling.BICUBIC))
    for i, picture in enumerate(made):
        path = root / "pictures" / ("cat" if i % 2 else "dog") / f"{i:03}.{'png' if i % 4 else 'jpg'}"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path)
    made[1].save(root / "pictures/cat/copy.png", compress_level=1)
    made[1].save(root / "pictures/dog/mislabelled.png")
    made[2].point(lambda value: 20 + value * 9 // 10).save(root / "pictures/dog/paler.png")
    made[3].convert("L").save(root / "pictures/cat/grey.png")
    (root / "pictures/cat/broken.png").write_bytes((root / "pictures/cat/001.png").read_bytes()[:200])
    (root / "pictures/cat/none.jpg").write_bytes(b"no image")


def run(root, declared=None, plan=None, below="0", other=None) -> Measured:
    source = {"uri": "pictures/*/*", "format": "images", "label": "folder", "by": {"class": "folder"}, **(declared or {})}
    book = manifest({"data": source, **(other or {})}, {"m": {"measure": "image-corpus", "data": "data", **(plan or {})}}, suppress_below=below)
    return measures.run("m", book.plan["m"], book, root, root / ".factbook", silent)


def facts(found: Measured) -> dict:
    return {str(fact.key).removeprefix("m/"): fact for fact in found.facts}


def test_what_was_made_is_found(tmp_path):
    pictures(tmp_path)
    found = facts(run(tmp_path, plan={"by": ["class"]}))
    assert (found["images"].value, found["unreadable"].value, found["sizes"].value) == (28, 2, 3)
    assert (found["exact_duplicates"].value, found["conflicting_labels"].value) == (2, 1)
    assert found["exact_duplicates?class=cat"].value == 1
    assert found["near_duplicates;distance=4"].value >= 4, "copies, the paler one and the grey one"
    assert found["mode_share;mode=L"].counts == {"k": 1, "n": 28}
    assert found["format_share;format=JPEG"].counts == {"k": 6, "n": 28}
    assert found["class_share;class=dog"].counts == {"k": 14, "n": 28}
    widths = sorted([40 + i % 3 for i in range(24)] + [41, 41, 42, 40])
    assert found["quantile;of=width;q=0.5"].value == np.quantile(widths, 0.5, method="inverted_cdf")
    assert found["mean;of=width"].value == pytest.approx(np.mean(widths))


def test_brightness_and_contrast_are_those_of_the_luma(tmp_path):
    pictures(tmp_path)
    table = sources.table(Source(uri="pictures/*/*", format="images"), tmp_path, tmp_path / ".factbook")
    for name, bright, contrast in sources.connect().execute(f"SELECT file, brightness, contrast FROM ({table.sql}) WHERE error IS NULL").fetchall():
        luma = np.asarray(Image.open(tmp_path / "pictures" / name).convert("L")) / 255
        assert (bright, contrast) == (pytest.approx(luma.mean(), abs=1e-9), pytest.approx(luma.std(), abs=1e-9))


def test_hashes_are_those_of_imagehash(tmp_path):
    imagehash = pytest.importorskip("imagehash")
    pictures(tmp_path, 60)
    for path in sorted(tmp_path.glob("pictures/*/[0-9]*")):
        picture = Image.open(path)
        assert f"{images.perceptual(picture.convert('L')):016x}" == str(imagehash.phash(picture)), path.name


def test_images_of_more_than_8_bits(tmp_path):
    from PIL import Image

    eight = np.array(Image.fromarray(np.random.default_rng(4).integers(0, 256, (7, 7), dtype=np.uint8)).resize((70, 60)))
    Image.fromarray(eight).save(tmp_path / "a.png")
    Image.fromarray(eight.astype(np.uint16) * 257).save(tmp_path / "b.png")
    Image.fromarray((eight / 255).astype(np.float32)).save(tmp_path / "c.tif")
    Image.fromarray(255 - eight.astype(np.uint16)).save(tmp_path / "d.png")
    Image.fromarray(np.where(eight == eight.max(), np.nan, 5.0).astype(np.float32)).save(tmp_path / "e.tif")
    table = sources.table(Source(uri="*.*", format="images"), tmp_path, tmp_path / ".factbook")
    rows = sources.connect(tmp_path / ".factbook").execute(f"SELECT brightness, contrast, hash, error FROM ({table.sql}) ORDER BY file").fetchall()
    assert rows[1][:2] == pytest.approx(rows[0][:2], abs=1e-12)
    assert rows[0][0] > 0.2
    assert rows[3][0] < 1 / 256  # an image of 8 bits stored in 16 is dark, not white
    assert [row[:2] for row in (rows[2], rows[4])] == [(None, None)] * 2
    hashes = [int(row[2], 16) for row in rows]
    assert all((hashes[0] ^ other).bit_count() <= 2 for other in hashes[1:3])
    assert (hashes[0] ^ hashes[3]).bit_count() > 20
    assert not any(row[3] for row in rows)
    plan = {"c": {"measure": "image-corpus", "data": "i"}}
    book = manifest({"i": {"uri": "*.*", "format": "images"}}, plan)
    found = {str(fact.key): fact for fact in measures.run("c", book.plan["c"], book, tmp_path, tmp_path / ".factbook", silent).facts}
    assert (found["c/mean;of=brightness"].n, found["c/mean;of=width"].n) == (3, 5)


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=30, unique=True), st.integers(0, 16), st.integers(0, 2**32))
def test_the_search_finds_every_pair(hashes, distance, seed):
    random = np.random.default_rng(seed)
    hashes = sorted({*hashes, *(value ^ int(np.bitwise_or.reduce(1 << random.integers(0, 63, 5))) for value in hashes)})
    pairs = [(i, j) for (i, a), (j, b) in combinations(enumerate(hashes), 2) if (a ^ b).bit_count() <= distance]
    assert duplicates.alike_hashes(hashes, distance).pairs == pairs


def test_an_archive_says_the_same_as_its_files(tmp_path):
    pictures(tmp_path)
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
        for path in sorted(tmp_path.glob("pictures/*/*")):
            archive.write(path, path.relative_to(tmp_path))
        archive.writestr("README.md", "no image")
    assert facts(run(tmp_path)) == facts(run(tmp_path, {"uri": "p.zip", "members": "pictures/*"}))


def test_what_two_corpora_share(tmp_path):
    pictures(tmp_path)
    (tmp_path / "test").mkdir()
    for name in ("cat/001.png", "dog/paler.png"):
        (tmp_path / "test" / name.replace("/", "-")).write_bytes((tmp_path / "pictures" / name).read_bytes())
    found = facts(run(tmp_path, plan={"against": "test", "by": ["class"]}, other={"test": {"uri": "test/*", "format": "images"}}))
    assert found["shared"].value == 4, "three with the pixels of the first, one of the second"
    assert found["shared;distance=4"].value == 5, "and the one that is paler there"
    assert found["shared?class=dog"].value == 2


def test_small_classes_are_hidden(tmp_path):
    pictures(tmp_path)
    for i in range(3):
        (tmp_path / "pictures/owl").mkdir(exist_ok=True)
        Image.new("RGB", (8, 8), (i, 0, 0)).save(tmp_path / f"pictures/owl/{i}.png")
    found = facts(run(tmp_path, plan={"by": ["class"]}, below="10"))
    assert found["images?class=owl"].status is Status.SUPPRESSED
    assert found["class_share;class=owl"].status is Status.SUPPRESSED


def test_real_images(tmp_path):
    """CIFAR-10: 300 images a class, 32 x 32, all different."""
    (tmp_path / "c.zip").symlink_to(shared("images/cifar10_train300_per_class.zip"))
    found = facts(run(tmp_path, {"uri": "c.zip"}, {"by": ["class"]}, "10"))
    assert (found["images"].value, found["sizes"].value, found["exact_duplicates"].value) == (3000, 1, 0)
    assert {fact.value for key, fact in found.items() if key.startswith("class_share") and "?" not in key} == {0.1}
    assert found["mean;of=brightness?class=airplane"].value > found["mean;of=brightness?class=frog"].value


def test_other_tables_are_refused(tmp_path):
    (tmp_path / "t.csv").write_text("file,width\na,1\n")
    with pytest.raises(SourceError, match="there is no column 'height'"):
        run(tmp_path, {"uri": "t.csv", "format": "csv", "label": "", "by": {}})


def test_golden(tmp_path):
    """PNG only, and no hash: another Pillow may decode JPEG or resize otherwise."""
    pictures(tmp_path, 12)
    for path in tmp_path.glob("pictures/*/*.jpg"):
        path.unlink()
    found = run(tmp_path, plan={"by": ["class"]})
    kept = tuple(fact for fact in found.facts if "near" not in fact.key.metric)
    golden("image-corpus", image_corpus.VERSION, Measured(found.name, found.measure, found.version, kept, found.params, found.inputs))
