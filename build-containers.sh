#!/usr/bin/env bash
# Builds the container images of Extrophi and checks their sizes against the guide's limits.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1

usage() {
  cat <<'TEXT'
Usage: ./build-containers.sh [podman|docker] [component...]

Builds extrophi-COMPONENT:latest for each component named, or for all, at the same time, and prints a table of their
sizes. Ends with 1 if a build failed or an image is over its limit, with 2 if it could not begin.

Components and limits (MB of 1,000,000 bytes, uncompressed, as `podman images` prints):
TEXT
  local component
  for component in "${ALL[@]}"; do printf '  %-14s %s\n' "$component" "${LIMIT[$component]}"; done
  cat <<'TEXT'

Environment:
  PYTHON, VARIANT, NODE_VERSION   build arguments of the same names, where they are set
  BUILD_FLAGS                     more flags for the engine's build, as: --network host
  TAG                             instead of latest

Examples:
  ./build-containers.sh podman
  ./build-containers.sh docker orchestrator research
  BUILD_FLAGS='--no-cache' ./build-containers.sh podman research
TEXT
}

declare -A LIMIT=([orchestrator]=200 [research]=400)
ALL=(orchestrator research)

give_up() { printf '%s\n' "$@" >&2; exit 2; }

engine=podman
case ${1:-} in
  -h | --help) usage; exit 0 ;;
  podman | docker) engine=$1; shift ;;
esac
for argument in "$@"; do
  [[ $argument == -h || $argument == --help ]] && { usage; exit 0; }
  [[ -n ${LIMIT[$argument]:-} ]] || give_up "There is no component '$argument': ${ALL[*]}." "See ./build-containers.sh --help"
done
components=("$@")
((${#components[@]})) || components=("${ALL[@]}")

command -v "$engine" >/dev/null || give_up "$engine is not installed, or not in PATH." \
  "Install it, or name the other engine: ./build-containers.sh $([[ $engine == podman ]] && echo docker || echo podman)"
"$engine" info >/dev/null 2>&1 || give_up "$engine does not answer: '$engine info' fails." \
  "$([[ $engine == docker ]] && echo 'Is its daemon running, and may you use it?' || echo 'Try: podman system migrate')"

flags=()
# Podman's own format has no place for a health check, and drops it with a warning.
[[ $engine == podman ]] && flags+=(--format docker)
for name in PYTHON VARIANT NODE_VERSION; do
  [[ -n ${!name:-} ]] && flags+=(--build-arg "$name=${!name}")
done
read -ra more <<<"${BUILD_FLAGS:-}"
tag=${TAG:-latest}

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
declare -A running=()
for component in "${components[@]}"; do
  echo "building extrophi-$component:$tag"
  (cd "$component" && exec "$engine" build "${flags[@]}" "${more[@]}" -f Containerfile -t "extrophi-$component:$tag" .) \
    >"$logs/$component" 2>&1 &
  running[$component]=$!
done

explain() { # the log of a failed build
  tail -n 25 "$1" | sed 's/^/    /'
  if grep -qiE 'no space left|disk quota' "$1"; then
    echo "  The disk is full. Free some of what builds left behind: $engine system prune -f"
  elif grep -qiE 'initializing source|pull access denied|error creating build container|short-name|failed to resolve source' "$1"; then
    echo "  A base image could not be pulled. Try: $engine pull $(grep -m1 -oE 'docker\.io/[^ :]+:[a-z0-9.-]+' "$1" || echo IMAGE)"
  elif grep -qiE 'unknown (flag|option)|syntax error|unknown instruction' "$1"; then
    echo "  This $engine is too old: $("$engine" --version). Podman 4 or Docker 23 will do."
  fi
}

failed=0
rows=()
for component in "${components[@]}"; do
  if ! wait "${running[$component]}"; then
    failed=1
    rows+=("extrophi-$component|–|${LIMIT[$component]} MB|failed")
    { echo "extrophi-$component was not built:"; explain "$logs/$component"; } >&2
    continue
  fi
  bytes=$("$engine" image inspect --format '{{.Size}}' "extrophi-$component:$tag")
  verdict=ok
  if ((bytes > LIMIT[$component] * 1000000)); then
    verdict='too large'
    failed=1
  fi
  rows+=("extrophi-$component|$(((bytes + 500000) / 1000000)) MB|${LIMIT[$component]} MB|$verdict")
done

echo
printf '%-24s%10s%10s  %s\n' image size limit ''
for row in "${rows[@]}"; do
  IFS='|' read -r name size limit verdict <<<"$row"
  printf '%-24s%10s%10s  %s\n' "$name" "$size" "$limit" "$verdict"
done
exit "$failed"
