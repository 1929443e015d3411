#!/bin/sh
# Runs once, when the database is made: the role that serves. `fanlight migrate --role fanlight` says what it may do.
set -eu
psql --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --set=ON_ERROR_STOP=1 \
  --set=password="$(cat /run/secrets/app_password)" <<'SQL'
CREATE ROLE fanlight LOGIN PASSWORD :'password';
SQL
