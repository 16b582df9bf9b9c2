#!/bin/sh
# Install the service into a folder, from hashes alone: sh requirements/install.sh /opt/sirolimus-cds
# With REQUIREMENTS=requirements/service-extras.txt what records in PostgreSQL and metrics need is installed, too.
# Needs Python 3.11, 3.12 or 3.13 with venv and headers (PYTHON names it), and gcc; what is installed needs neither, and holds no pip.
set -eu
target=$(realpath -m "$1")
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
requirements=${REQUIREMENTS:-requirements/service.txt}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
pip() { "$work/build/bin/python" -m pip --quiet --disable-pip-version-check --no-cache-dir "$@"; }

"$python" -m venv "$work/build"
# what builds durable-rules, which comes as source, is pinned too: --require-hashes does not reach into isolated builds
pip install --require-hashes -r requirements/build.txt
# durable-rules calls what Python 3.13 no longer has under that name
export CPPFLAGS=-DPyEval_CallObject=PyObject_CallObject
pip wheel --require-hashes --no-build-isolation --wheel-dir "$work/wheels" -r "$requirements"
pip wheel --no-deps --no-build-isolation --wheel-dir "$work/wheels" .
"$python" -m venv --clear --without-pip "$target"
pip --python "$target/bin/python" install --no-deps --no-index "$work"/wheels/*.whl
