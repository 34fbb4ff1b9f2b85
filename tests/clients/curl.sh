#!/usr/bin/env bash
# curl.sh URL: reads a stream with curl -N and reconnects with the last id; prints every event as a line of JSON.
url=$1 id= retry=3
while true; do
  while IFS= read -r line; do
    case $line in
      "retry: "*) retry=$(awk "BEGIN { print ${line#retry: } / 1000 }") ;;
      "event: "*) event=${line#event: } ;;
      "id: "*) id=${line#id: } ;;
      "data: "*) data=${line#data: } ;;
      "") printf '{"event":"%s","id":"%s","data":%s}\n' "$event" "$id" "$(printf %s "$data" | python3 -c 'import json, sys; print(json.dumps(sys.stdin.read()))')" ;;
    esac
  done < <(curl -sN ${id:+-H "Last-Event-ID: $id"} "$url")
  sleep "$retry"
done
