#!/usr/bin/env bash
# Builds the container images of Extrophi and checks their sizes against the guide's limits. Bash 3.2 (macOS) will do.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 2

all=(orchestrator research backend writer)

limit_of() { # MB
  case $1 in
    orchestrator) echo 200 ;;
    research) echo 400 ;;
    backend) echo 500 ;;
    writer) echo 400 ;;
    *) return 1 ;;
  esac
}

usage() {
  cat <<'TEXT'
Usage: ./build-containers.sh [podman|docker] [component...]

Builds extrophi-COMPONENT:latest for each component named, or for all, at the same time, and prints a table of their
sizes. What each is made of goes to sbom/: extrophi-COMPONENT.cdx.json (CycloneDX) and extrophi-COMPONENT.licences.txt.
Ends with 1 if a build failed or an image is over its limit, with 2 if it could not begin.

Components and limits (MB of 1,000,000 bytes, as `podman images` prints):
TEXT
  local component
  for component in "${all[@]}"; do printf '  %-14s %s\n' "$component" "$(limit_of "$component")"; done
  cat <<'TEXT'

Environment:
  PYTHON_VERSION, NODE_VERSION, VARIANT   build arguments of the same names, where they are set. The Writer's VARIANT is
                                          alpine, or slim for programs that run on any Linux with glibc; its NODE_VERSION
                                          is 18, which gets no fixes any more: 22, say, is a newer one
  BROWSER                                 the backend's Chromium: debian (Debian's, as it is by default) or playwright
                                          (the build that Playwright downloads)
  BUILD_FLAGS                             more flags for the engine's build, as: --network host
  SOURCE_DATE_EPOCH                       the time (Unix) that images and the files in them bear; by default the
                                          commit's, so that two builds of it give the same layers (Podman)
  TAG                                     instead of latest

Examples:
  ./build-containers.sh podman
  ./build-containers.sh docker orchestrator research
  BUILD_FLAGS='--no-cache' ./build-containers.sh podman research
  VARIANT=slim NODE_VERSION=22 ./build-containers.sh podman writer
TEXT
}

give_up() {
  printf '%s\n' "$@" >&2
  exit 2
}

for argument in "$@"; do
  if [[ $argument == -h || $argument == --help ]]; then
    usage
    exit 0
  fi
done
engine=podman
if [[ ${1:-} == podman || ${1:-} == docker ]]; then
  engine=$1
  shift
fi
for argument in "$@"; do
  limit_of "$argument" >/dev/null ||
    give_up "There is no component '$argument', only: ${all[*]}." "See ./build-containers.sh --help"
done
components=("${@:-}")
[[ -n ${components[0]} ]] || components=("${all[@]}")

other=docker
[[ $engine == docker ]] && other=podman
command -v "$engine" >/dev/null || give_up "$engine is not installed, or not in PATH." \
  "Install it, or name the other engine: ./build-containers.sh $other"
if ! "$engine" info >/dev/null 2>&1; then
  remedy='Try: podman system migrate'
  [[ $engine == docker ]] && remedy='Is its daemon running, and may you use it?'
  give_up "$engine does not answer: '$engine info' fails." "$remedy"
fi

command=("$engine" build)
# Podman's own format has no place for a health check, and drops it with a warning.
[[ $engine == podman ]] && command+=(--format docker)
for name in PYTHON_VERSION NODE_VERSION VARIANT BROWSER; do
  [[ -n ${!name:-} ]] && command+=(--build-arg "$name=${!name}")
done
epoch=${SOURCE_DATE_EPOCH:-}
if revision=$(git describe --always --abbrev=40 --exclude='*' --dirty 2>/dev/null); then
  command+=(--label "org.opencontainers.image.revision=$revision") # an ARG would be taken from the cache
  epoch=${epoch:-$(git log -1 --format=%ct)}
fi
if [[ -n $epoch ]]; then
  if [[ $engine == podman ]]; then command+=(--timestamp "$epoch"); else command+=(--build-arg "SOURCE_DATE_EPOCH=$epoch"); fi
fi
# shellcheck disable=SC2206 # flags are parted at spaces
command+=(${BUILD_FLAGS:-})
tag=${TAG:-latest}

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
# shellcheck disable=SC2046 # one word for each build
trap 'kill $(jobs -p) 2>/dev/null; exit 130' INT TERM
builds=()
for component in "${components[@]}"; do
  echo "building extrophi-$component:$tag"
  (cd "$component" && exec "${command[@]}" -f Containerfile -t "extrophi-$component:$tag" .) >"$logs/$component" 2>&1 &
  builds+=($!)
done

explain() { # the log of a failed build
  tail -n 25 "$1" | sed 's/^/    /'
  if grep -qiE 'no space left|disk quota' "$1"; then
    echo "  The disk is full. Free some of what builds left behind: $engine system prune -f"
  elif grep -qiE 'initializing source|pull access denied|error creating build container|short-name|failed to resolve source' "$1"; then
    echo "  A base image could not be pulled. Try: $engine pull $(grep -m1 -oE 'docker\.io/[^ :]+:[a-z0-9.-]+' "$1" || echo IMAGE)"
  elif grep -qiE 'unknown (flag|option)|unknown instruction' "$1"; then
    echo "  This $engine is too old: $("$engine" --version). Podman 4 or Docker 23 will do."
  fi
}

describe() { # an image and its name: what it is made of, as the image itself tells
  local version ask python=python
  [[ $2 == extrophi-writer* ]] && python=/opt/extrophi/bin/python3 # it is packed, as all of that image
  # Over in a second; and without systemd, Podman grumbles about each health check.
  ask=("$engine" run --rm -i --no-healthcheck --network none --entrypoint "$python" "$1" -)
  version=$("$engine" image inspect --format '{{index .Config.Labels "org.opencontainers.image.version"}}' "$1") &&
    mkdir -p sbom &&
    "${ask[@]}" "$2" "$version" "${revision:-unknown}" <sbom.py >"$logs/$2" &&
    sed '/^$/,$d' "$logs/$2" >"$logs/$2.cdx.json" && # both at once: the Writer's image unpacks before it answers
    sed '1,/^$/d' "$logs/$2" >"$logs/$2.licences.txt" &&
    mv "$logs/$2.cdx.json" "$logs/$2.licences.txt" sbom/
}

failed=0
table=$(printf '%-24s%10s%10s' image size limit)
for at in "${!components[@]}"; do
  component=${components[at]}
  limit=$(limit_of "$component")
  size=–
  if ! wait "${builds[at]}"; then
    verdict=failed
    { echo "extrophi-$component was not built:" && explain "$logs/$component"; } >&2
  elif ! bytes=$("$engine" image inspect --format '{{.Size}}' "extrophi-$component:$tag" 2>/dev/null) ||
    [[ ! $bytes =~ ^[0-9]+$ ]]; then
    verdict='not there after the build (has the builder kept it to itself?)'
  else
    size="$(((bytes + 500000) / 1000000)) MB"
    verdict=ok
    describe "extrophi-$component:$tag" "extrophi-$component${TAG:+-$TAG}" || verdict='sbom/ could not be written'
    ((bytes > limit * 1000000)) && verdict='too large'
  fi
  [[ $verdict == ok ]] || failed=1
  table+=$(printf '\n%-24s%10s%10s  %s' "extrophi-$component" "$size" "$limit MB" "$verdict")
done

printf '\n%s\n' "$table"
exit "$failed"
