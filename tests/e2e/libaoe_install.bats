#!/usr/bin/env bats
# libaoe as a builder of programs finds it after an installation.

load lib

BUILD=${AOE_BIN%/bin}
SOURCE=$(cd "${BATS_TEST_DIRNAME}/../.." && pwd)
EXAMPLE=$SOURCE/examples/read_sector.c

# A sanitised library needs the compiler and the flags that it was built with.
CC=cc CXX=c++ FLAGS=()
if [ -n "${AOE_SANITIZE:-}" ]; then
  CC=clang CXX=clang++ FLAGS=("-fsanitize=$AOE_SANITIZE")
fi

setup() {
  lib_setup
  PREFIX=$WORK/prefix
  for component in libaoe libaoe-dev; do
    cmake --install "$BUILD" --prefix "$PREFIX" --component "$component" >"$WORK/install.log"
  done
  LIBRARY=$(find "$PREFIX" -name 'libaoe.so.0')
  export LD_LIBRARY_PATH=${LIBRARY%/*}
}

# Without arguments it says how it is used: it has found its library.
runs() {
  run "$1"
  assert_status 2
  assert_contains "$output" "usage: read_sector"
}

@test "everything is where it belongs" {
  requires "file:$BUILD/lib/libaoe.so"
  (cd "$PREFIX" && find . -type f -o -type l) | sort >"$WORK/files"
  for file in include/aoe/aoe.h include/aoe/aoe.hpp share/man/man3/aoe_open.3 \
    share/man/man3/aoe_aio_pread.3 share/man/man3/libaoe.3; do
    grep -q "/$file\$" "$WORK/files" || fail "missing: $file" "in: $(cat "$WORK/files")"
  done
  run readelf -d "$LIBRARY"
  assert_contains "$output" "Library soname: [libaoe.so.0]"
  # The library goes where it is put: no path of the build is in it.
  assert_lacks "$output" "$BUILD"
}

@test "pkg-config builds a program against it" {
  requires pkg-config cc "file:$BUILD/lib/libaoe.so"
  PKG_CONFIG_PATH=$(dirname "$(find "$PREFIX" -name libaoe.pc)")
  export PKG_CONFIG_PATH
  run pkg-config --modversion libaoe
  assert_status 0
  assert_contains "$output" "."
  # shellcheck disable=SC2046  # words
  "$CC" "${FLAGS[@]}" -o "$WORK/program" "$EXAMPLE" $(pkg-config --cflags --libs libaoe)
  runs "$WORK/program"
}

@test "find_package(aoe) builds a program against it, in C and in C++" {
  requires cmake cc "file:$BUILD/lib/libaoe.so"
  mkdir "$WORK/project"
  cp "$EXAMPLE" "$WORK/project"
  printf '#include <aoe/aoe.hpp>\n%s\n' \
    'int main() { libaoe::Device d; try { d.flush(); } catch (const libaoe::Error&) { return 7; } }' \
    >"$WORK/project/program.cpp"
  cat >"$WORK/project/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.20)
project(user LANGUAGES C CXX)
set(CMAKE_CXX_STANDARD 17)
find_package(aoe 0.1 REQUIRED)
add_executable(c read_sector.c)
target_link_libraries(c PRIVATE aoe::aoe)
add_executable(cxx program.cpp)
target_link_libraries(cxx PRIVATE aoe::aoe)
END
  cmake -S "$WORK/project" -B "$WORK/project/build" -DCMAKE_PREFIX_PATH="$PREFIX" \
    -DCMAKE_C_COMPILER="$CC" -DCMAKE_CXX_COMPILER="$CXX" \
    -DCMAKE_C_FLAGS="${FLAGS[*]}" -DCMAKE_CXX_FLAGS="${FLAGS[*]}" >"$WORK/configure.log"
  cmake --build "$WORK/project/build" >"$WORK/build.log"
  runs "$WORK/project/build/c"
  run "$WORK/project/build/cxx"
  assert_status 7
}
