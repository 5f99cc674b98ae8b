"""``[physics]`` of a single crystal: its surface, its temperature, its rock salt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from nmcsim.case.section import Angle, Section, Temperature, all_wrong, wrong
from nmcsim.errors import Mistake

_ARRANGEMENTS = {
    "angle": ("arc", "patches"),
    "patches": ("patches", "random"),
    "seed": ("random",),
    "size_spread": ("random",),
    "intervals": ("intervals",),
}


def _bare_surface_left(coverage: float | None) -> float | None:
    if coverage is not None and not 0.0 <= coverage < 1.0:
        raise wrong(
            "leaves no bare surface, through which the C-rate could be carried (Lun et al., SI,"
            " after Eq. 13: 0 <= gamma < 1); write a value below 1"
            if coverage >= 1.0
            else "is out of range; it must be at least 0"
        )
    return coverage


def _slower_than_bare(ratio: float) -> float:
    if not 0.0 <= ratio < 1.0:
        raise wrong(
            "is no barrier: the flux through rock salt is smaller than through bare surface"
            " (Lun et al., SI, Eq. 14: 0 <= eta < 1); write a value below 1"
            if ratio >= 1.0
            else "is out of range; it must be at least 0"
        )
    return ratio


class RockSalt(Section):
    """Which part of the lateral surface rock salt covers, and what passes through it."""

    coverage: Annotated[float | None, AfterValidator(_bare_surface_left)] = Field(
        default=None,
        description="gamma: covered share of the lateral surface, 0 to below 1. None is covered"
        " where it is left out, except by explicit intervals.",
    )
    flux_ratio: Annotated[float, AfterValidator(_slower_than_bare)] = Field(
        default=0.0,
        description="eta of Eq. 14: flux (or exchange current) on rock salt over that on bare"
        " surface, 0 to below 1.",
    )
    arrangement: Literal["arc", "patches", "random", "intervals"] = Field(
        default="arc", description="One arc, equal patches, random patches, or explicit intervals."
    )
    angle: Angle = Field(
        default=0.0, description="Direction of the middle of the arc, or of the first patch."
    )
    patches: int = Field(default=4, ge=1, le=200, description="Number of patches.")
    seed: int = Field(default=0, ge=0, le=2**32 - 1, description="Of the random patches.")
    size_spread: float = Field(
        default=0.5,
        ge=0.0,
        le=3.0,
        description="Standard deviation of the logarithm of the size of random patches.",
    )
    intervals: tuple[tuple[Angle, Angle], ...] = Field(
        default=(),
        description="Pairs of angles, counter-clockwise: [['0 deg', '90 deg'], ...].",
    )

    @model_validator(mode="after")
    def _keys_are_used(self) -> RockSalt:
        unused = [
            Mistake(
                key,
                f'has no effect with arrangement = "{self.arrangement}";'
                f" remove it, or choose {_alternatives(kinds)}",
            )
            for key, kinds in _ARRANGEMENTS.items()
            if key in self.model_fields_set
            and self.arrangement not in kinds
            and getattr(self, key) != type(self).model_fields[key].default
        ]
        if self.coverage is None and self.arrangement != "intervals" and self._is_meant():
            unused.append(Mistake("coverage", "is missing; write coverage = 0.5"))
        if unused:
            raise all_wrong(unused)
        return self

    def _is_meant(self) -> bool:
        """Whether anything is said about rock salt at all."""
        return any(
            getattr(self, name) != field.default for name, field in type(self).model_fields.items()
        )


class Physics(Section):
    """Conditions at the surface and in the crystal."""

    surface: Literal["flux", "butler_volmer"] = Field(
        description='Eqs 13-15 ("flux"), or one potential and kinetics ("butler_volmer").',
        examples=["flux"],
    )
    temperature: Temperature = Field(description="Of the crystal, uniform.")
    extrapolate: bool = Field(
        default=False,
        description="Whether a law may be used beyond its valid range, where a run ends otherwise.",
    )
    diffusivity_ratio_c: float = Field(
        default=0.0,
        ge=0.0,
        le=1e3,
        description="Diffusivity along the c-axis over that in the ab-plane (3D shapes).",
    )
    rock_salt: RockSalt = Field(default_factory=RockSalt, description="None where left out.")


def _alternatives(names: Sequence[str]) -> str:
    return " or ".join(f'"{name}"' for name in names)
