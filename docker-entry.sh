#!/bin/sh
# Models and data go to /data where it is mounted and may be written to, else to the user's home.
if [ -d /data ] && [ -w /data ]; then
    export DYNO_DATA_DIR="${DYNO_DATA_DIR:-/data}"
    export HF_HOME="${HF_HOME:-/data/downloads}" # the data folder's place for models of the Hub
fi
exec "$@"
