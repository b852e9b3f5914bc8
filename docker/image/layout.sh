#!/bin/sh
# Makes the files and folders of the image below a folder: `layout.sh DESTINATION`. Entry points and paths
# are those of Confluent's, Debezium's and Strimzi's connect images, so that what is mounted there and what
# is called there is found.
set -eu

destination=$1
here=$(cd "$(dirname "$0")" && pwd)

put() { # file of this folder, its place in the image
    install -D -m 755 "$here/$1" "$destination/$2"
}

put docker-entrypoint.sh docker-entrypoint.sh
put confluent-hub usr/bin/confluent-hub
for entry in etc/confluent/docker/run opt/kafka/kafka_connect_run.sh; do
    mkdir -p "$destination/$(dirname "$entry")"
    ln -sf /docker-entrypoint.sh "$destination/$entry"
done

# Mounted or written to; any user of group 0 may, as on OpenShift.
for folder in etc/kafka-connect/secrets etc/kafka-connect/jars kafka/config kafka/connect kafka/data kafka/logs \
    usr/share/confluent-hub-components usr/share/java; do
    mkdir -p "$destination/$folder"
done
chmod -R g=u "$destination/etc/kafka-connect" "$destination/kafka"
