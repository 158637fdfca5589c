"""The wheel: what is in it, and that it works where nothing else of the repository is."""

import email
import os
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from door_sync import __version__

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "src/door_sync"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the wheel and the archive of sources, built without a network."""
    directory = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--directory", directory],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    return directory


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    [path] = built.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment of its own into which the wheel was installed, and the libraries beside it.

    The libraries are those of this interpreter, made visible by a path file: what is tested is the
    wheel. pip itself is taken from there, too, and asks no network.
    """
    directory = tmp_path_factory.mktemp("environment")
    venv.create(directory, with_pip=False)
    python = directory / "bin/python"
    libraries = sysconfig.get_path("purelib")
    here = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    )
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel)],
        capture_output=True,
        check=True,
    )
    Path(here.stdout.strip(), "libraries.pth").write_text(f"{libraries}\n")
    return directory


def names_in(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def files_of_the_program() -> Iterator[str]:
    for path in SOURCES.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(SOURCES.parent).as_posix()


def test_it_holds_every_file_of_the_program_and_no_test(wheel: Path) -> None:
    names = names_in(wheel)
    program = {name for name in names if name.startswith("door_sync/")}
    assert program == set(files_of_the_program())
    others = {name.split("/")[0] for name in names} - {"door_sync"}
    version = f"door_sync-{__version__}"
    assert others == {f"{version}.dist-info", f"{version}.data"}
    assert wheel.name == f"{version}-py3-none-any.whl"


def test_it_brings_what_an_operator_needs_beside_the_program(wheel: Path) -> None:
    data = f"door_sync-{__version__}.data/data/share/"
    shared = {name.removeprefix(data) for name in names_in(wheel) if name.startswith(data)}
    units = {f"door-sync/systemd/{path.name}" for path in (ROOT / "packaging/systemd").iterdir()}
    assert shared == {
        "man/man1/door-sync.1",
        "door-sync/logrotate",
        "door-sync/config.example.toml",
        "door-sync/env.example",
        *units,
    }


def test_its_metadata_name_licence_versions_and_libraries_but_no_host(wheel: Path) -> None:
    information = f"door_sync-{__version__}.dist-info"
    with zipfile.ZipFile(wheel) as archive:
        metadata = email.message_from_bytes(archive.read(f"{information}/METADATA"))
        assert "MIT License" in archive.read(f"{information}/licenses/LICENSE").decode()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata.get_all("Requires-Dist") == sorted(project["dependencies"])
    assert metadata.get_all("Project-URL") is None
    assert "Operating System :: POSIX :: Linux" in (metadata.get_all("Classifier") or [])


def test_the_archive_of_sources_has_no_tests_and_nothing_of_one_machine(built: Path) -> None:
    [path] = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        inside = [name.split("/", 1)[1] for name in archive.getnames()]
    assert {name.split("/")[0] for name in inside} == {
        ".env.example",
        ".gitignore",
        "CHANGELOG.md",
        "LICENSE",
        "Makefile",
        "PKG-INFO",
        "README.md",
        "config.example.toml",
        "docs",
        "mkdocs.yml",
        "packaging",
        "pyproject.toml",
        "requirements",
        "src",
    }
    assert not [name for name in inside if "test" in name.split("/") or "__pycache__" in name]


def test_the_demo_runs_from_the_wheel_in_an_empty_directory(
    installed: Path, tmp_path: Path
) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    ran = subprocess.run(
        [installed / "bin/door-sync", "demo"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "all came out as told" in ran.stdout
    where = subprocess.run(
        [installed / "bin/python", "-c", "import door_sync; print(door_sync.__file__)"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert where.stdout.startswith(f"{installed}/"), "the demo must run what was installed"
    assert [*tmp_path.iterdir()] == []


def test_what_builds_it_is_locked_to_the_same_versions_everywhere() -> None:
    def versions(name: str) -> set[str]:
        lines = (ROOT / "requirements" / name).read_text().splitlines()
        return {line.split(" ")[0] for line in lines if line and line[0] not in " #"}

    assert versions("build.lock") <= versions("dev.lock")
    assert any(line.startswith("hatchling==") for line in versions("build.lock"))
