"""Holds what nvsdk-top prints against assets/sample.schema.json with the jsonschema package.

    python tests/schema.py target/debug/nvsdk-top [target/debug/deps/libfake_nvml.so]

With the second argument the output from the simulated driver is checked too. Without the package it says SKIPPED, and
fails where NVSDK_TOP_TEST_ALL=1 lets no test be skipped.
"""

import json
import os
import pathlib
import subprocess
import sys

try:
    from jsonschema import Draft202012Validator
except ImportError:
    print("SKIPPED: the jsonschema package is not installed")
    sys.exit(os.environ.get("NVSDK_TOP_TEST_ALL") == "1")

ROOT = pathlib.Path(__file__).resolve().parent.parent
VARIANTS = [[], ["--fast"], ["--select", "busy_percent,fan_percent"], ["--select", "processes"]]


def sample(program, arguments, **environment):
    """The document that the program prints."""
    command = [program, "--once", *arguments]
    result = subprocess.run(
        command, env={**os.environ, **environment}, check=True, stdout=subprocess.PIPE
    )
    return json.loads(result.stdout)


def main():
    if not 2 <= len(sys.argv) <= 3:
        sys.exit(__doc__)
    program = sys.argv[1]
    schema = json.loads((ROOT / "assets/sample.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)

    documents = {}
    for preset in schema["properties"]["demo_preset"]["enum"]:
        for variant in VARIANTS:
            arguments = [f"--demo={preset}", *variant]
            documents[" ".join(arguments)] = sample(program, arguments)
    if len(sys.argv) == 3:
        library = str(pathlib.Path(sys.argv[2]).resolve())
        for file in sorted((ROOT / "tests/fake-nvml/presets").glob("*.toml")):
            environment = {"FAKE_NVML_PRESET": file.stem, "FAKE_NVML_CLOCK": "real"}
            arguments = ["--nvml-lib", library]
            documents[f"driver {file.stem}"] = sample(program, arguments, **environment)

    wrong = [
        f"{name}: {error.json_path}: {error.message}"
        for name, document in documents.items()
        for error in validator.iter_errors(document)
    ]
    first = next(iter(documents.values()))
    first["gpus"][0]["busy_percent"] = "94"
    if validator.is_valid(first):
        wrong.append("a text in place of a number is not found")
    print("\n".join(wrong) or f"{len(documents)} documents keep to the schema")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
