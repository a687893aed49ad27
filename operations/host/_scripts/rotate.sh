#!/bin/sh
# Rotates the logs of the application $1, keeps $2 of them, and takes $3 seconds for it. The logs are made first, and are gone afterwards.
set -eu
name=$1 keep=$2 seconds=$3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for n in $(seq 0 "$keep"); do echo "log $n" >"$folder/$name.log.$n"; done
rm "$folder/$name.log.$keep"
for n in $(seq "$((keep - 1))" -1 0); do
  mv "$folder/$name.log.$n" "$folder/$name.log.$((n + 1))"
  printf '%s.log.%s → %s.log.%s\n' "$name" "$n" "$name" "$((n + 1))"
done
sleep "$seconds"
