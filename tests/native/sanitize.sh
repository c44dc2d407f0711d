#!/usr/bin/env bash
# Run the tests of the C modules with AddressSanitizer and UndefinedBehaviorSanitizer (gcc): bash tests/native/sanitize.sh
# It needs the extra `dev`, builds in a copy, and takes about ten minutes.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r withhold tests benchmarks pyproject.toml README.md "$work"
cd "$work"
python -m pip install --quiet 'cython>=3.1'
include=$(python -c 'import sysconfig; print(sysconfig.get_path("include"))')
suffix=$(python -c 'import sysconfig; print(sysconfig.get_config_var("EXT_SUFFIX"))')
for source in withhold/native/*.pyx; do
  module=${source%.pyx}
  rm -f "$module".*.so
  python -m cython -3 "$source"
  gcc -shared -fPIC -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined \
    -I"$include" "$module.c" -o "$module$suffix"
done
# The interpreter is built without them, so leaks are not reported, and its own allocator is not used.
export ASAN_OPTIONS=detect_leaks=0 PYTHONMALLOC=malloc WITHHOLD_REQUIRE_NATIVE=1 PYTHONPATH=$PWD
LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)" \
  python -m pytest -q -p no:cacheprovider \
  tests/native tests/snapshot tests/engine tests/location/test_fast_path.py tests/test_corpus.py \
  tests/bulk/test_arrow.py "$@"
