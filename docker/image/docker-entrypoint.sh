#!/bin/sh
# Starts a worker as the entry points of the usual connect images do. Other commands than `start` are run
# as they are.
set -eu

case ${1:-start} in
start) ;;
*) exec "$@" ;;
esac

# The environment has all properties, unless it has no brokers and a file was mounted.
if [ -z "${CONNECT_BOOTSTRAP_SERVERS:-}${BOOTSTRAP_SERVERS:-}" ]; then
    for file in /etc/kafka-connect/kafka-connect.properties /kafka/config/connect-distributed.properties \
        /opt/kafka/custom-config/kafka-connect.properties; do
        [ -r "$file" ] && exec tether connect-distributed "$file"
    done
fi
exec tether connect-distributed
