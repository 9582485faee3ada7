#!/bin/sh
# Makes what compose.yaml needs: .env from .env.example, and fresh keys and passwords in secrets/. Changes nothing that is there.
set -eu
cd "$(dirname "$0")"

case ${1:-} in
  '') ;;
  -h | --help)
    cat <<'TEXT'
Usage: ./new-env.sh

Makes .env out of .env.example, and in secrets/ a fresh key of each kind, for `podman-compose up -d` or
`docker compose up -d`. What is there already stays as it is. Prints the key that people use.
TEXT
    exit 0
    ;;
  *)
    echo "new-env.sh takes no '$1'. See ./new-env.sh --help" >&2
    exit 2
    ;;
esac

fresh() { head -c 32 /dev/urandom | base64 | tr -d '=\n' | tr '+/' '-_'; }
keep() { # name, its content; whole or not at all
  if [ -s "secrets/$1" ]; then
    echo "secrets/$1 is there, and stays"
    return
  fi
  if [ "${#2}" -lt 43 ]; then
    echo "secrets/$1 could not be made: are head, base64 and tr there, and /dev/urandom?" >&2
    exit 1
  fi
  printf '%s' "$2" >"secrets/.$1"
  # The containers' user is another than you: who may look into the folder is what guards them.
  chmod 644 "secrets/.$1"
  mv "secrets/.$1" "secrets/$1"
  echo "secrets/$1 made"
}

mkdir -p secrets
chmod 700 secrets
keep service_key "$(fresh)"
keep secret_key "$(fresh)" # credentials are sealed under it: without it they have to be set anew
keep api_keys "$(fresh)"
[ -s secrets/postgres_password ] || rm -f secrets/database_url # it holds the password
keep postgres_password "$(fresh)"
keep database_url "postgresql://postgres:$(cat secrets/postgres_password)@postgres/extrophi"
if [ -e .env ]; then
  echo ".env is there, and stays"
else
  (umask 077 && cp .env.example .env)
  echo ".env made: look through it"
fi
printf '\nYour key, for --key, EXTROPHI_KEY and the browser: %s\n' "$(cut -d , -f 1 secrets/api_keys)"
