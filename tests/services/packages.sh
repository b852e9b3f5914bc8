#!/bin/sh
# Installs the Debian packages that the build and the tests need, those that are missing. Does nothing
# when all are there; without root, or without apt-get, names them and fails.
set -eu

missing=
need() { # package, then a test of whether what it brings is there
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}

have_one() { # whether one of these files exists
    for file; do
        [ -e "$file" ] && return 0
    done
    return 1
}

need gcc command -v cc
need g++ command -v c++
need make command -v make
need cmake command -v cmake
need pkg-config command -v pkg-config
need libssl-dev pkg-config --exists openssl
need python3-venv python3 -c "import ensurepip, venv"
need util-linux command -v setpriv
need maven command -v mvn
need default-jdk-headless command -v javac
need postgresql have_one /usr/lib/postgresql/*/bin/initdb
need mariadb-server have_one /usr/sbin/mariadbd
need chromium command -v chromium
need chromium-driver command -v chromedriver

[ -n "$missing" ] || exit 0
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing$missing" >&2
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # shellcheck disable=SC2086 # a list of packages
    apt-get install -qq -y --no-install-recommends $missing >/dev/null
else
    echo "missing Debian packages; as root: apt-get install$missing" >&2
    exit 1
fi
