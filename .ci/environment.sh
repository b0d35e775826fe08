# Functions for the jobs, which source this file from the root of the tree. The virtual environment is removed at exit.

export CI=true # Hypothesis without deadlines
python=${PYTHON:-python3}

# What the machine must have: a test that needs it fails without it, instead of being skipped
# (tests/support/requirements.py). A job removes what it doesn't have, and a workflow adds what its machines have.
expected=${MLPKIT_EXPECT:+$MLPKIT_EXPECT,}node,packages
if [ "$(uname)" = Linux ]; then expected+=,compiler,flush,kernels; fi
if command -v chromium chromium-browser google-chrome google-chrome-stable > /dev/null; then expected+=,browser; fi
export MLPKIT_EXPECT=$expected

# Create a virtual environment with these options, and set $environment to its folder.
make_environment() {
    environment=$(mktemp -d)/venv
    trap 'rm -rf "$(dirname "$environment")"' EXIT
    chmod 755 "$(dirname "$environment")" # for the unprivileged job
    "$python" -m venv "$@" "$environment"
    "$environment/bin/pip" install --quiet uv
}

# Build the wheel of this tree while the tests' dependencies are installed with these options of uv, and install it.
install_mlpkit() {
    local wheels=$environment/wheels
    rm -rf build # setuptools would add files of an earlier build to the wheel
    "$environment/bin/pip" wheel --quiet --no-deps --wheel-dir "$wheels" . &
    "$environment/bin/uv" pip install --quiet --python "$environment" "$@" --requirements pyproject.toml --extra test-all
    wait $!
    "$environment/bin/uv" pip install --quiet --python "$environment" "mlpkit[test-all] @ file://$(ls "$wheels"/*.whl)"
    "$environment/bin/mlpkit" --version --verbose
}

# Run the default suite with these arguments; without arguments, on two cores. If EVERYTHING isn't empty, slow tests run,
# too.
run_tests() {
    if [ $# -eq 0 ]; then set -- -n 2 --dist loadfile; fi
    if [ -n "${EVERYTHING:-}" ]; then set -- -m "not long and not fuzz" "$@"; fi
    "$environment/bin/pytest" -q "$@"
}

# Run the default suite, or tests of these arguments, without what Windows doesn't have.
without_posix() {
    PYTHONPATH=$PWD/tests/support/without_posix MLPKIT_EXPECT='' run_tests "$@"
}
