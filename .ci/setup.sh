#!/bin/sh
# Builds the virtual environment: sh .ci/setup.sh run | dev
# Everything missing is named before anything is installed. Called by the Makefile.
set -eu
cd "$(dirname "$0")/.."
kind=${1:?say run or dev}
venv=${VENV:-.venv}
gmsh_packages="libgl1 libglu1-mesa libxcursor1 libxft2 libxinerama1 libfontconfig1 libxrender1 libxfixes3"
apt="apt-get install --no-install-recommends"

say() { printf '%s\n' "$*" >&2; }

# Exit status: 0 good, 3 too old, 4 no venv, 5 no headers; any other: it does not run.
probe='
import importlib.util, os, sys, sysconfig
if sys.version_info < (3, 12): sys.exit(3)
if any(importlib.util.find_spec(m) is None for m in ("venv", "ensurepip")): sys.exit(4)
if not os.path.isfile(os.path.join(sysconfig.get_paths()["include"], "Python.h")): sys.exit(5)
print(sys.executable)
'

find_python() {
    refused=""
    for candidate in ${PYTHON:-} python3.13 python3.12 python3.14 python3 \
        "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin/python3; do
        command -v "$candidate" >/dev/null 2>&1 || continue
        status=0
        python=$("$candidate" -c "$probe" 2>/dev/null) || status=$?
        case $status in
            0) return 0 ;;
            4) refused="$refused
  $candidate has no venv module; on Debian: $apt python3-venv" ;;
            5) refused="$refused
  $candidate has no headers (Python.h), which the compiled forms need; on Debian: $apt python3-dev" ;;
        esac
    done
    python=""
    return 1
}

check_tools() {
    missing=0
    if ! find_python; then
        missing=1
        if [ -n "$refused" ]; then
            say "No Python >= 3.12 here can be used:$refused"
        else
            say "Python >= 3.12 is missing; on Debian 13: $apt python3 python3-venv python3-dev; elsewhere pyenv or uv brings one."
        fi
    fi
    for tool in make git; do
        if ! command -v "$tool" >/dev/null 2>&1; then
            missing=1
            say "$tool is missing; on Debian: $apt $tool"
        fi
    done
    if ! command -v "${CC:-gcc}" >/dev/null 2>&1 && [ -z "${CC:-}" ]; then
        missing=1
        say "gcc is missing, which compiles the forms at run time; on Debian: $apt gcc libc6-dev; without root see the README, \"Without a compiler\"."
    elif ! printf '#include <stdio.h>\nint main(void){return 0;}\n' | ${CC:-gcc} -x c -c -o /dev/null - >/dev/null 2>&1; then
        missing=1
        say "${CC:-gcc} cannot compile a C program (the C library's headers are missing?); on Debian: $apt libc6-dev"
    fi
    if [ "$missing" = 1 ]; then
        say "Nothing was installed."
        exit 2
    fi
}

# Names the libraries that gmsh opens and this machine has not.
gmsh_libraries='
import ctypes, sys
missing = []
for name in ("GL.so.1 GLU.so.1 Xcursor.so.1 Xft.so.2 Xinerama.so.1 fontconfig.so.1 Xrender.so.1 Xfixes.so.3").split():
    try:
        ctypes.CDLL("lib" + name)
    except OSError:
        missing.append("lib" + name)
print(" ".join(missing))
'

check_libraries() {
    [ "$(uname -s)" = Linux ] || return 0
    missing=$("$python" -c "$gmsh_libraries")
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" = 0 ] && [ -e /etc/debian_version ]; then
        say "gmsh needs $missing: installing the Debian packages."
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq
        apt-get install -qq -y --no-install-recommends $gmsh_packages >/dev/null
    else
        say "gmsh needs $missing, which this machine has not. On Debian or Ubuntu type this line, then make again:"
        say "  sudo $apt $gmsh_packages"
        exit 2
    fi
}

make_venv() {
    # A virtual environment that was moved, or whose interpreter went away, is made anew.
    if [ -e "$venv" ]; then
        if [ "$(cat "$venv/.made-for" 2>/dev/null)" = "$(pwd -P)" ] &&
            "$venv/bin/python" -c 'import sys, pip; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1; then
            return 0
        fi
        if [ ! -e "$venv/pyvenv.cfg" ] && [ -n "$(ls -A "$venv")" ]; then
            say "$venv is in the way and no virtual environment; move it, or set VENV to another folder."
            exit 2
        fi
        rm -rf "$venv"
    fi
    say "Making $venv with $python."
    "$python" -m venv "$venv"
    pwd -P >"$venv/.made-for"
}

install() {
    case $kind in
        run) what="." ;;
        dev) what=".[test,docs,dev,bench,cyclers]" ;;
        *) say "unknown kind \"$kind\"; say run or dev"; exit 2 ;;
    esac
    say "Installing nmcsim and what it needs (about a minute, 0.8 GB)."
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input -c constraints.txt -e "$what"
    if [ "$(uname -s)" = Linux ]; then
        "$venv/bin/python" -c 'import gmsh'
    fi
    : >"$venv/.installed-run"
    if [ "$kind" = dev ]; then : >"$venv/.installed-dev"; fi
}

check_tools
check_libraries
make_venv
install
