"""Reading recipes: strict YAML, references, overrides, and every problem in a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, model_validator

from tplm_daq.errors import InputError
from tplm_daq.recipes.base import Hertz, Model, Nanometres, Nanowatts, Seconds
from tplm_daq.recipes.load import apply_overrides, dump_yaml, read_yaml, validate
from tplm_daq.recipes.rig import RigRecipe


class Line(Model):
    """Positions along an axis."""

    shape: Literal["line"]
    centre_nm: Literal["auto"] | tuple[Nanometres, Nanometres] = "auto"
    half_width_nm: Annotated[Nanometres, Field(gt=0, le=5000)]


class Raster(Model):
    """Positions in an area."""

    shape: Literal["raster"]
    widths_nm: tuple[Nanometres, Nanometres]


class Light(Model):
    """Excitation."""

    repetition_rate_hz: Annotated[Hertz, Field(ge=31e3, le=80e6)] = 2.5e6
    powers_nw: tuple[Nanowatts, ...] = ()
    between_points: Literal["on", "off"] = "on"


class Recipe(Model):
    """A recipe with one of everything."""

    title: str
    light: Light = Light()
    path: Annotated[Line | Raster, Field(discriminator="shape")]
    dwell_s: Annotated[Seconds, Field(gt=0)]
    n_passes: int = 1
    gain: float = 1.0
    is_kept: bool = False
    notes: dict[str, Seconds] = {}

    @model_validator(mode="after")
    def _passes_share_the_dwell(self) -> Recipe:
        if self.dwell_s < self.n_passes * 1e-3:
            raise ValueError(f"{self.n_passes} passes need {self.n_passes} ms; write more dwell or fewer passes")
        return self


MISLEADING = ["on", "1:30", "010", "1e3", "~", "5 %", "=", "<<", "2026-11-22", "# x", "a: b", "\t", "0x1F", "\x85"]
GOOD = {"title": "film", "dwell": "20 s", "path": {"shape": "line", "half_width": "1 um"}}


def write(folder: Path, text: str, name: str = "recipe.yaml") -> Path:
    """Write a file and return its path."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def refusal(action, *arguments) -> str:
    """Return the message with which an action is refused."""
    with pytest.raises(InputError) as refused:
        action(*arguments)
    return str(refused.value)


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("on", "on"), ("off", "off"), ("yes", "yes"), ("No", "No"), ("y", "y"), ("true", True), ("False", False),
        ("1:30", "1:30"), ("1:30.5", "1:30.5"), ("010", "010"), ("0o10", "0o10"), ("0x10", "0x10"), ("1_000", "1_000"),
        ("2026-11-22", "2026-11-22"), ("1e3", 1000.0), ("1e-3", 0.001), ("1.", 1.0), (".5", 0.5), ("-2", -2), ("0", 0),
        (".inf", ".inf"), (".nan", ".nan"), ("9" * 5000, "9" * 5000), ("=", "="), ("~", None), ("", None),
        ("5 %", "5 %"), ("2.5 MHz", "2.5 MHz"), ("[1 nW, 3 nW]", ["1 nW", "3 nW"]), ("'1'", "1"),
    ],
)  # fmt: skip
def test_plain_words_mean_what_they_look_like(tmp_path, word, value):
    read = read_yaml(write(tmp_path, f"key: {word}\n"))["key"]
    assert (type(read), read) == (type(value), value)


def test_on_is_text_as_a_key_too_and_a_byte_order_mark_is_no_key(tmp_path):
    assert read_yaml(write(tmp_path, "\ufeffon: 1\n")) == {"on": 1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", 'line 3, column 1 ("a: 3"): the key "a" stands twice, first in line 1; keep one'),
        ("a: {x: 1, x: 2}\n", 'the key "x" stands twice, first in line 1'),
        ("1: x\n", "line 1, column 1 (\"1: x\"): the key 1 is not text; put it in quotes"),
        ("? [a]\n: x\n", "the key a list or mapping is not text"),
        ("a: &x 1\nb: *x\n", "line 1, column 4 (\"a: &x 1\"): aliases and anchors (* and &) are not allowed"),
        ("a: !!python/object:os.system x\n", "tags (!) are not allowed; write the value without"),
        ("a:\n\tb: 1\n", "line 2, column 1 (\"b: 1\"): found character '\\t' that cannot start any token. Indent"),
        ("a: b: c\n", 'line 1, column 5 ("a: b: c"): mapping values are not allowed here. Put quotes around'),
        ("a: [1, 2\n", "Close the bracket or brace"),
        ("a: 'x\n", "Close the quotation mark"),
        ("a: @x\n", "Put quotes around a text that begins with a special character"),
        ("a: 1\n---\nb: 1\n", "Remove the second document"),
        ("a: [1]\nb\n", "could not find expected ':'. Write a colon and a space after each key"),
        ("a: " + "[" * 100_000, "nested more than 20 levels deep"),
        ("a: \x00\n", "holds a character that is no text (unacceptable character #x0000"),
        ('a: "\\UFFFFFFFF"\n', "holds a character that is no text"),
        ("", "a file of keys and values is needed, but it is empty. Begin with a line like kind: scan"),
        ("# nothing\n", "but it is empty"),
        ("- a\n- b\n", 'but it holds ["a", "b"]'),
        ("scan\n", 'but it holds "scan"'),
    ],
)  # fmt: skip
def test_unusable_text_is_refused_with_its_place_and_a_hint(tmp_path, text, message):
    path = write(tmp_path, text)
    said = refusal(read_yaml, path)
    assert said.startswith(str(path))
    assert message in said


@given(st.text(alphabet="a1 :-[]{},&*!|>'\"%@`#?\\xU\n\t\0\ud800", max_size=20))
def test_no_text_makes_the_loader_fail_in_another_way(text):
    try:
        assert "key" in apply_overrides({}, [f"key={text}"])
    except InputError as refused:
        assert str(refused).startswith("--set key=")


def test_unusable_files_are_refused_by_name(tmp_path):
    assert f"{tmp_path / 'no.yaml'}: cannot be read: no such file" in refusal(read_yaml, tmp_path / "no.yaml")
    assert "cannot be read: is a directory" in refusal(read_yaml, tmp_path)
    (tmp_path / "run.h5").write_bytes(b"title: x\n\x89HDF\r\n\x1a\n\xff")
    assert "run.h5, line 2: not UTF-8 text. Save it as UTF-8" in refusal(read_yaml, tmp_path / "run.h5")
    (tmp_path / "large.yaml").write_bytes(b"#" * 1_000_001)
    assert "larger than 1000000 bytes" in refusal(read_yaml, tmp_path / "large.yaml")


def test_a_file_of_another_kind_is_one_problem():
    said = refusal(validate, RigRecipe, {"kind": "scan", "title": "x", "path": {}}, "line.yaml")
    assert said == "line.yaml: its kind is scan, and one of kind rig is wanted here. Name another file."
    assert 'kind is "rug": must be "rig". Write rig.' in refusal(validate, RigRecipe, {"kind": "rug"}, "line.yaml")


def test_overrides_set_values_and_leave_the_original_alone():
    data = {"passes": {"dwell": "20 s"}, "vary": [{"power": ["1 nW", "2 nW"]}]}
    changed = apply_overrides(data, ["passes.dwell=2s", "vary.0.power.1=3nW", "passes.order=[up, down]", "light=off"])
    assert changed["passes"] == {"dwell": "2s", "order": ["up", "down"]}
    assert changed["vary"] == [{"power": ["1 nW", "3nW"]}]
    assert changed["light"] == "off"
    assert data == {"passes": {"dwell": "20 s"}, "vary": [{"power": ["1 nW", "2 nW"]}]}
    assert apply_overrides(data, ["title='a=b # c'"])["title"] == "a=b # c"


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("passes.dwell", "--set passes.dwell: write KEY=VALUE with dots between keys"),
        ("=3", "--set =3: write KEY=VALUE"),
        ("passes..dwell=3", "write KEY=VALUE"),
        ("pases.dwell=2s", 'there is no pases in the file. Did you mean "passes"?'),
        ("other.x=2", "Keys there: passes, vary, none, one. Set a new section whole: --set 'other={...}'."),
        ("passes.dwell.x=1", "passes.dwell is \"20 s\" and has no keys. Set it whole: --set 'passes.dwell={...}'."),
        ("n_passes.x=2", 'there is no n_passes in the file. Did you mean "passes.n_passes"?'),
        ("one.1=2", "one is a list of 1, and 1 is none of its indices. Write 0."),
        ("vary.2=1", "vary is a list of 2, and 2 is none of its indices. Write 0 to 1."),
        ("vary.-1=1", "-1 is none of its indices"),
        ("vary.x.y=1", "x is none of its indices"),
        ("none.0=1", "none is a list of 0, and 0 is none of its indices. Set it whole: --set 'none=[...]'."),
        ("passes={", "Check indents, quotes and brackets"),
        ("title=film #3", "# begins a comment. Put the value in quotes: --set 'title=\"film #3\"'"),
    ],
)
def test_overrides_that_lead_nowhere_are_refused(assignment, message):
    data = {"passes": {"dwell": "20 s", "n_passes": {}}, "vary": [1, 2], "none": [], "one": [1]}
    assert message in refusal(apply_overrides, data, [assignment])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dwell": 20}, 'dwell is 20: a time needs its unit. Write "20 s" or "20000 ms".'),
        ({"dwell": "0 ms"}, 'dwell is "0 ms": must be greater than 0 s.'),
        ({"dwell_s": "20 s"}, 'dwell_s is "20 s": there is no such key. Write "dwell" instead.'),
        ({"light": {"repetition_rate": "20 kHz"}}, 'rate is "20 kHz": must be greater than or equal to 31 kHz.'),
        ({"light": {"powers": ["1 nW", 2]}}, 'light.powers.1 is 2: a power needs its unit. Write "2 nW" or "2000 pW".'),
        ({"light": {"between_points": True}}, 'light.between_points is true: must be "on" or "off".'),
        ({"light": {"between_points": "Off"}}, 'is "Off": must be "on" or "off". Write off.'),
        ({"light": "bright"}, 'light is "bright": must be a section of its own. Write its keys below it, indented.'),
        ({"path": {"shape": "line"}}, "path.half_width is missing. Write half_width: 500 nm."),
        ({"path": {"shape": "line", "half_width": "6 um"}}, 'is "6 um": must be less than or equal to 5 um.'),
        ({"path": {"shape": "raster", "width": "1 um"}}, 'path.width is "1 um": there is no such key. Write "widths"'),
        (
            {"path": {"half_width": "1 um"}},
            "path: its 'shape' decides which keys there are. Write shape: line or shape: raster.",
        ),
        (
            {"path": {"shape": "lin"}},
            "path: its 'shape' decides which keys there are. Write shape: line or shape: raster.",
        ),
        ({"title": 5}, "title is 5: must be text. Put it in quotes."),
        ({"n_passes": "010"}, 'n_passes is "010": must be a whole number. Write digits without leading zeros'),
        ({"n_passes": 2.5}, "n_passes is 2.5: must be a whole number."),
        ({"gain": "high"}, 'gain is "high": must be a number.'),
        ({"is_kept": "yes"}, 'is_kept is "yes": must be true or false.'),
        ({"notes": {"x": 3}}, "notes.x is 3: a time needs its unit."),
        ({"n_passes": 30_000}, "recipe.yaml: 30000 passes need 30000 ms; write more dwell or fewer passes."),
        ({"gain": float("inf")}, "gain is Infinity: must be a finite number."),
    ],
)
def test_each_problem_names_key_value_rule_and_remedy(changes, message):
    said = refusal(validate, Recipe, GOOD | changes, "recipe.yaml")
    assert said.startswith("recipe.yaml: ")
    assert message in said
    assert len(said.splitlines()) == (2 if "width" in changes.get("path", {}) else 1)


def test_a_choice_of_types_is_one_problem_told_by_the_type_that_fits_best():
    centre = lambda value: GOOD | {"path": GOOD["path"] | {"centre": value}}  # noqa: E731
    said = refusal(validate, Recipe, centre("atuo"), "r.yaml")
    assert (
        said
        == 'r.yaml: path.centre is "atuo": must be "auto", or must be a list. Write auto, or write [first, second].'
    )
    said = refusal(validate, Recipe, centre([1, "2 nm"]), "r.yaml")
    assert said == 'r.yaml: path.centre.0 is 1: a length needs its unit. Write "1 nm" or "0.001 um".'


def test_all_problems_are_listed_one_line_each():
    said = refusal(validate, Recipe, {"titel": "x", "dwell": 3, "path": GOOD["path"]}, "r.yaml").splitlines()
    assert [line.split(" is")[0] for line in said] == ["r.yaml: title", "r.yaml: dwell", "r.yaml: titel"]


def test_lists_of_the_file_become_tuples_of_the_model():
    recipe = validate(Recipe, GOOD | {"light": {"powers": ["1 nW", "3 nW"]}}, "r.yaml")
    assert recipe.light.powers_nw == (1.0, 3.0)
    assert recipe.path.half_width_nm == 1000.0


@given(
    title=st.text(),
    word=st.sampled_from(MISLEADING),
    dwell_s=st.floats(1, 1e300),
    gain=st.floats(allow_nan=False, allow_infinity=False),
)
def test_a_recipe_survives_being_written_and_read(tmp_path_factory, title, word, dwell_s, gain):
    recipe = validate(Recipe, GOOD | {"title": title, "gain": gain, "notes": {word: f"{dwell_s!r} s"}}, "r.yaml")
    for changed in (recipe, recipe.model_copy(update={"title": word})):
        path = write(tmp_path_factory.getbasetemp(), dump_yaml(changed))
        assert validate(Recipe, read_yaml(path), path) == changed


def test_the_text_keeps_units_and_order():
    text = dump_yaml(validate(Recipe, GOOD | {"light": {"powers": ["1 nW"]}}, "r.yaml"))
    assert text.splitlines()[:7] == [
        "title: film",
        "light:",
        "  repetition_rate: 2.5 MHz",
        "  powers: [1 nW]",
        "  between_points: 'on'",
        "path: {shape: line, centre: auto, half_width: 1 um}",
        "dwell: 20 s",
    ]
