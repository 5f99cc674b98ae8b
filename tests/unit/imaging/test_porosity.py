"""Porosity of slices whose pores are counted."""

from __future__ import annotations

import numpy as np
import pytest

from nmcsim.errors import InputError
from nmcsim.imaging.porosity import Porosity, reduce_porosity
from nmcsim.imaging.segmentation import outline_of, solid_of

Y, X = np.mgrid[:240, :240] - 120.0
DISK = np.hypot(Y, X) < 90.0
PIXEL = 50e-9


def slit(width: float) -> np.ndarray:
    """From the centre to the outside."""
    return (np.abs(X) < 0.5 * width) & (Y > 0)


def holes(count: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    found = np.zeros(DISK.shape, bool)
    for _ in range(count):
        r, a = rng.uniform(0.0, 70.0), rng.uniform(0.0, 2.0 * np.pi)
        found |= np.hypot(Y - r * np.sin(a), X - r * np.cos(a)) < 5.0
    return found & DISK


def measured(image: np.ndarray, **settings: float | str) -> float:
    asked = Porosity(form="none", **settings)  # type: ignore[arg-type]
    return reduce_porosity([(0, [image])], PIXEL, asked).cycles[0].porosity


def test_closed_pores_are_the_share_of_the_filled_outline() -> None:
    pores = holes(30)
    assert measured(DISK & ~pores) == pytest.approx(pores.sum() / DISK.sum(), rel=0.01)


def test_a_crack_that_opens_to_the_outside_counts_and_a_wide_notch_does_not() -> None:
    narrow = slit(7.0) & DISK
    assert measured(DISK & ~narrow) == pytest.approx(narrow.sum() / DISK.sum(), rel=0.02)
    # 30 px are 1.5 um: wider than twice the rim of 0.5 um, narrower than twice 1 um
    wide = slit(30.0) & DISK
    assert measured(DISK & ~wide) < 0.2 * wide.sum() / DISK.sum()
    closed = measured(DISK & ~wide, rim=1e-6)
    assert closed == pytest.approx(wide.sum() / DISK.sum(), rel=0.1)


def test_a_particle_cut_in_two_by_a_crack_is_one() -> None:
    through = np.abs(X) < 3.0
    share = (through & DISK).sum() / DISK.sum()
    assert measured(DISK & ~through) == pytest.approx(share, rel=0.03)


def test_grey_slices_are_segmented_and_the_threshold_counts_in_the_error() -> None:
    rng = np.random.default_rng(0)
    pores = holes(40)
    grey = 60.0 + 120.0 * (DISK & ~pores) + rng.normal(0.0, 8.0, DISK.shape)
    image = grey.clip(0, 255).astype(np.uint8)
    result = reduce_porosity([(5, [image])], PIXEL, Porosity(form="none")).cycles[0]
    assert result.porosity == pytest.approx(pores.sum() / DISK.sum(), rel=0.01)
    assert 0.0 < result.porosity_error < 0.01
    assert measured(image, segmentation="threshold", threshold=120.0) == pytest.approx(
        result.porosity, rel=0.01
    )


def test_labels_may_say_what_a_pore_is() -> None:
    pores = holes(20)
    image = np.where(pores, 2, DISK.astype(int))
    exact = pores.sum() / DISK.sum()
    assert measured(image, pore_label=2) == pytest.approx(exact, rel=1e-12)
    assert measured(image) == pytest.approx(0.0, abs=0.01)  # else all labels are solid


def test_slices_add_up_and_their_scatter_is_the_error() -> None:
    slices = [DISK & ~holes(n, n) for n in (10, 20, 30)]
    one = reduce_porosity([(3, slices)], PIXEL, Porosity(form="none")).cycles[0]
    shares = np.array([(DISK & ~s).sum() / DISK.sum() for s in slices])
    assert one.porosity == pytest.approx(shares.mean(), rel=0.01)
    assert one.porosity_error == pytest.approx(shares.std(ddof=1) / np.sqrt(3.0), rel=0.03)
    assert one.slices == 3


def test_cycles_are_fitted_and_the_crack_is_measured() -> None:
    cycles = []
    for n in (35, 0, 5, 12, 20):
        # a slit that opens: its share of the area is 1 - exp(-n/15) of 30 px times 90 px
        width = 2.0 + 16.0 * (1.0 - np.exp(-n / 15.0))
        cycles.append((n, [DISK & ~(np.abs(X + 0.01) < 0.5 * width)]))
    result = reduce_porosity(cycles, PIXEL, Porosity(rim=1e-6), at=[45])
    assert [c.cycle for c in result.cycles] == [0, 5, 12, 20, 35]
    assert result.fit is not None
    n_c = result.numbers["porosity_n_c"]
    assert n_c.value == pytest.approx(15.0, abs=3.0 * n_c.uncertainty)
    assert n_c.uncertainty < 6.0
    at = result.numbers["porosity_at_cycle_45"]
    width = 2.0 + 16.0 * (1.0 - np.exp(-3.0))
    truth = (DISK & (np.abs(X) < 0.5 * width)).sum() / DISK.sum()
    assert at.value == pytest.approx(truth, abs=0.015)
    # one crack of 180 px through the middle
    assert result.series["crack_length"].values == pytest.approx(np.full(5, 180 * PIXEL), rel=0.06)


def test_small_pores_are_no_cracks() -> None:
    image = DISK & ~(holes(10) | (np.abs(X) < 2.0))
    both = reduce_porosity([(0, [image])], PIXEL, Porosity(form="none")).cycles[0]
    large = Porosity(form="none", smallest=200 * PIXEL**2)
    alone = reduce_porosity([(0, [image])], PIXEL, large).cycles[0]
    assert alone.porosity == both.porosity
    assert alone.crack_length < both.crack_length
    assert alone.crack_length == pytest.approx(180 * PIXEL, rel=0.2)


def test_a_fit_that_does_not_exist_is_a_warning_unless_it_is_asked_for() -> None:
    cycles = [(n, [DISK & ~holes(20)]) for n in (0, 1, 2)]
    result = reduce_porosity(cycles, PIXEL)
    assert result.fit is None and result.numbers == {}
    assert "no fit: exponential fit (saturation) needs at least 4" in result.warnings[0]
    with pytest.raises(InputError, match="needs at least 4 different cycles"):
        reduce_porosity(cycles, PIXEL, at=[10])
    with pytest.raises(InputError, match="leaves no fit for --at"):
        reduce_porosity(cycles, PIXEL, Porosity(form="none"), at=[10])


@pytest.mark.parametrize(
    ("image", "settings", "sentence"),
    [
        (np.zeros((20, 20), int), {}, "cycle 2, slice 1 has no particle: nothing is solid"),
        (np.ones((20, 20), int), {}, "has no particle: everything is solid"),
        (np.full((20, 20), 7), {"segmentation": "otsu"}, "has (one|the same) intensity everywhere"),
        (np.arange(400).reshape(20, 20), {"segmentation": "threshold"}, "threshold is missing"),
    ],
)
def test_a_slice_without_particle_is_refused(image, settings, sentence) -> None:
    with pytest.raises(InputError, match=sentence):
        reduce_porosity([(2, [image])], PIXEL, Porosity(form="none", **settings))


def test_no_slice_and_the_closing_alone() -> None:
    with pytest.raises(InputError, match="cycle 4 has no slices"):
        reduce_porosity([(4, [])], PIXEL)
    assert solid_of(DISK, Porosity())[0] is not DISK
    assert outline_of(DISK, 0.0).sum() == DISK.sum()
