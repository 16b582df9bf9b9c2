#!/bin/sh
# Install the service into a folder, by hash only: sh requirements/install.sh /opt/sirolimus-cds
# With REQUIREMENTS=requirements/service-extras.txt, the packages for records in PostgreSQL and for metrics are installed, too.
# Needs Python 3.11, 3.12 or 3.13 with venv and headers (PYTHON names it), and gcc; the installed service needs neither, and has no pip.
set -eu
target=$(realpath -m "$1")
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
requirements=${REQUIREMENTS:-requirements/service.txt}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
pip() { "$work/build/bin/python" -m pip --quiet --disable-pip-version-check --no-cache-dir "$@"; }

"$python" -m venv "$work/build"
# durable-rules comes as source; its build tools are pinned, too, because --require-hashes does not reach into isolated builds
pip install --require-hashes -r requirements/build.txt
# durable-rules calls a C function that Python 3.13 no longer has under that name
export CPPFLAGS=-DPyEval_CallObject=PyObject_CallObject
pip wheel --require-hashes --no-build-isolation --wheel-dir "$work/wheels" -r "$requirements"
pip wheel --no-deps --no-build-isolation --wheel-dir "$work/wheels" .
"$python" -m venv --clear --without-pip "$target"
pip --python "$target/bin/python" install --no-deps --no-index "$work"/wheels/*.whl
