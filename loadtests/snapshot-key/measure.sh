#!/usr/bin/env bash
# Compares two keys for the price snapshot (docs/adr/0004-price-snapshot-key.md):
#   a  natural primary key (card_id, marketplace_id, kind, finish, condition, language, observed_at)
#   b  id bigint identity, primary key (id, observed_at), and a unique index on the natural columns
# on a private PostgreSQL cluster that it makes, stops and removes. Prints Markdown tables and plans.
#
#   loadtests/snapshot-key/measure.sh            3,000,000 rows, 3 runs: about 45 minutes, 10 GB of disk
#   CARDS=600 RUNS=1 READ_RUNS=1 SECONDS_EACH=1 loadtests/snapshot-key/measure.sh        a quick try
#
# Settings (environment): CARDS, MARKETS, DAYS (at least 90), BATCH, RUNS (of the writes), READ_RUNS,
# SECONDS_EACH (a pgbench run),
# SHARED_BUFFERS, PGBIN (directory of the server's programs), OS_USER (used when started by root).
set -euo pipefail

: "${CARDS:=6000}" "${MARKETS:=5}" "${DAYS:=100}" "${BATCH:=20000}" "${RUNS:=3}" "${READ_RUNS:=5}" "${SECONDS_EACH:=8}"
: "${SHARED_BUFFERS:=2GB}" "${PGBIN:=}" "${OS_USER:=postgres}"
export CARDS MARKETS DAYS BATCH RUNS READ_RUNS SECONDS_EACH SHARED_BUFFERS PGBIN OS_USER

if [ -z "${KEY_WORK:-}" ]; then
  KEY_WORK=$(mktemp -d /tmp/snapshot-key.XXXXXX) # short: a Unix socket's path is limited to about 100 bytes
  export KEY_WORK
  if [ "$(id -u)" = 0 ]; then # PostgreSQL refuses to run as root: start this file again as OS_USER
    trap 'rm -rf "$KEY_WORK"' EXIT
    cp "$0" "$KEY_WORK/measure.sh"
    chown -R "$OS_USER" "$KEY_WORK"
    cd "$KEY_WORK"
    runuser -u "$OS_USER" -- bash "$KEY_WORK/measure.sh"
    exit
  fi
fi
work=$KEY_WORK
cd "$work"

if [ -z "$PGBIN" ]; then
  for dir in "$(pg_config --bindir 2>/dev/null || true)" $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -Vr); do
    if [ -x "$dir/initdb" ] && [ -x "$dir/pgbench" ]; then PGBIN=$dir && break; fi
  done
fi
[ -n "$PGBIN" ] || { echo "no PostgreSQL server programs found: set PGBIN" >&2; rm -rf "$work"; exit 1; }

stop() { "$PGBIN/pg_ctl" -D "$work/data" -m immediate -w stop >/dev/null 2>&1 || true; rm -rf "$work"; }
trap stop EXIT
trap 'exit 130' INT TERM

# The cluster listens on a socket in its own directory and on no TCP port, so no port can be taken.
export PGHOST=$work PGPORT=5432 PGDATABASE=postgres PGOPTIONS='' PGTZ=UTC
unset PGUSER PGPASSWORD PGSERVICE 2>/dev/null || true
"$PGBIN/initdb" -D "$work/data" -A trust -E UTF8 --locale=C --no-sync >/dev/null
cat >>"$work/data/postgresql.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$work'
timezone = 'UTC'
fsync = on
synchronous_commit = on
shared_buffers = $SHARED_BUFFERS
max_wal_size = 16GB           # no checkpoint comes by itself: the script asks for each
checkpoint_timeout = 1h
autovacuum = off              # VACUUM ANALYZE is run by hand before the reads
max_parallel_workers_per_gather = 0
CONF
"$PGBIN/pg_ctl" -D "$work/data" -w -l "$work/log" start >/dev/null || { cat "$work/log" >&2; exit 1; }

sql() { "$PGBIN/psql" -XqAt -v ON_ERROR_STOP=1 "$@"; }

natural='card_id, marketplace_id, kind, finish, condition, language, observed_at'
columns="$natural, price, low, mid, high, market"
definition='card_id int4 not null, marketplace_id int2 not null, kind int2 not null, finish int2 not null,
  condition int2 not null, language text collate "C" not null, observed_at timestamptz not null,
  price bigint not null, low bigint, mid bigint, high bigint, market bigint'
first=2025-01-01
lower=$(date -u -d "$first + $((DAYS - 90)) days" +%F) # 90 daily observations lie in [lower, upper)
upper=$(date -u -d "$first + $DAYS days" +%F)
recent=$(date -u -d "$upper - 31 days" +%F)
total=$((CARDS * MARKETS * DAYS))

# --- data: one observation a day, the cards in an order that is not that of their ids (a feed's order) ---
# One marketplace carries low/mid/high/market, the others only the price.
rows="select c as card_id, m::int2 as marketplace_id, 0::int2 as kind, 0::int2 as finish, 1::int2 as condition,
  'en' as language, timestamptz '$first 06:00+00' + d * interval '1 day' as observed_at, p as price,
  case when m = 1 then p * 8 / 10 end as low, case when m = 1 then p end as mid,
  case when m = 1 then p * 15 / 10 end as high, case when m = 1 then p * 9 / 10 end as market
  from generate_series(1, $CARDS) c, generate_series(1, $MARKETS) m, generate_series(0, $DAYS - 1) d,
  lateral (select (50 + abs(hashint4(c * 8 + m) % 5000) + abs(hashint4(c + d / 3) % 40))::bigint as p) price"
for order in daily backfill; do
  by='d, hashint4(c), c, m'
  [ $order = daily ] || by='hashint4(c), c, m, d'
  mkdir "$work/$order"
  sql -c "copy ($rows order by $by) to '$work/$order.copy'"
  split -a 4 -d -l "$BATCH" "$work/$order.copy" "$work/$order/"
  rm "$work/$order.copy"
done

make_table() { # table, variant
  local key="primary key ($natural)" id=''
  if [ "$2" = b ]; then
    key="primary key (id, observed_at), unique ($natural)"
    id='id bigint generated always as identity,'
  fi
  sql -c "create table $1 ($id $definition, $key) partition by range (observed_at)" \
    -c "create table $1_other partition of $1 default"
  local from=$first to
  while [[ ! $from > $upper ]]; do # one partition for each month from $first to $upper
    to=$(date -u -d "$from + 1 month" +%F)
    sql -c "create table $1_${from:0:4}${from:5:2} partition of $1 for values from ('$from 00:00+00') to ('$to 00:00+00')"
    from=$to
  done
}

# Writes every batch as the server does, one transaction a batch, to both tables: A first in one batch, B first
# in the next, so that whatever else the machine does falls on both alike. Leaves in $work/out, for each
# variant, "variant seconds server-CPU-seconds WAL-bytes rows-written". The checkpoints (before every third
# batch, if asked for) are outside the time. "filtered" leaves out, before the insert, the rows that the table
# already holds with the same price.
mark="clock_timestamp() as t, pg_current_wal_insert_lsn() as w, coalesce((select sum(x::bigint) from unnest((string_to_array(
  regexp_replace(pg_read_file('/proc/self/stat', 0, 4096, true), '^.*[)] ', ''), ' '))[12:13]) x), 0) as c"
write() { # table without its variant, directory, checkpoints (0/1), plain/filtered
  local n=0 file variant pair filter table
  {
    echo '\set QUIET off'
    for variant in a b; do echo "\\set t_$variant 0 \\set w_$variant 0 \\set c_$variant 0" | sed 's/ \\set/\n\\set/g'; done
    echo "create temp table stage ($definition) on commit delete rows;"
    for file in "$work/$2"/*; do
      n=$((n + 1))
      pair='a b'
      [ $((n % 2)) = 1 ] || pair='b a'
      [ "$3" = 0 ] || [ $((n % 3)) != 1 ] || echo 'checkpoint;'
      for variant in $pair; do
        table=$1_$variant filter=''
        [ "$4" = plain ] || filter="s where not exists (select from $table o where o.card_id = s.card_id
          and o.marketplace_id = s.marketplace_id and o.kind = s.kind and o.finish = s.finish
          and o.condition = s.condition and o.language = s.language and o.observed_at = s.observed_at and o.price = s.price)"
        cat <<SQL
\\echo VARIANT $variant
select $(echo $mark) \\gset
begin;
\\copy stage ($columns) from '$file'
insert into $table as t ($columns) select $columns from stage $filter on conflict ($natural)
  do update set price = excluded.price where t.price is distinct from excluded.price;
commit;
select :t_$variant + extract(epoch from m.t - :'t'::timestamptz) as t_$variant, :w_$variant + pg_wal_lsn_diff(m.w, :'w') as w_$variant, :c_$variant + m.c - :c as c_$variant from (select $(echo $mark)) m \\gset
SQL
      done
    done
    for variant in a b; do echo "\\echo SUM $variant :t_$variant :c_$variant :w_$variant"; done
  } >"$work/write.sql"
  sql -c checkpoint
  sql -f "$work/write.sql" | awk -v ticks="$(getconf CLK_TCK)" '/^VARIANT/ {v = $2} /^INSERT/ {n[v] += $3}
    /^SUM/ {printf "%s %.3f %.2f %d %d\n", $2, $3, $4 / ticks, $5, n[$2]}' >"$work/out"
}

note() { echo "$1 $2 $3" >>"$work/results"; } # figure, variant, value

sizes() { # table, order, variant
  sql -F ' ' -c "with leaf as (select relid from pg_partition_tree('$1') where isleaf)
    select sum(pg_relation_size(relid)), sum(pg_indexes_size(relid)),
      (select sum(pg_relation_size(indexrelid)) from pg_index join leaf on indrelid = relid where indisprimary)
    from leaf" >"$work/size"
  read -r heap index primary <"$work/size"
  note "$2:heap" "$3" "$heap"
  note "$2:index" "$3" "$index"
  note "$2:primary" "$3" "$primary"
}

expect() { [ "$2" = "$3" ] || { echo "$1: expected $2, found $3" >&2; exit 1; }; }

loadavg() { cut -d' ' -f1-3 /proc/loadavg 2>/dev/null || echo unknown; }
echo "PostgreSQL $(sql -c 'show server_version'), fsync $(sql -c 'show fsync'), shared_buffers $SHARED_BUFFERS, $(nproc) cores, load average at the start $(loadavg)"
echo "$total rows: $CARDS cards x $MARKETS marketplaces x $DAYS days; batches of $BATCH; $RUNS runs of the writes, $READ_RUNS of the reads; pgbench $SECONDS_EACH s for A and B together"
echo

# --- writes ---
record() { # order, first/second/filtered, rows that should have been written
  local variant seconds cpu wal written
  while read -r variant seconds cpu wal written; do
    expect "$1 $2 $variant rows written" "$3" "$written"
    expect "$1 $2 $variant rows" "$total" "$(sql -c "select count(*) from snap_$1_$variant")"
    expect "$1 $2 $variant rows in the default partition" 0 "$(sql -c "select count(*) from snap_$1_${variant}_other")"
    note "$1:$2:rate" "$variant" "$(awk "BEGIN {print $total / $seconds}")"
    note "$1:$2:cpu" "$variant" "$cpu"
    note "$1:$2:wal" "$variant" "$wal"
  done <"$work/out"
}
for run in $(seq "$RUNS"); do
  for order in daily daily_checkpoints backfill; do
    directory=${order%_checkpoints} checkpoints=0
    [ "$directory" = "$order" ] || checkpoints=1
    for variant in a b; do
      sql -c "set client_min_messages = warning" -c "drop table if exists snap_${order}_$variant"
      make_table snap_${order}_$variant $variant
    done
    write snap_$order $directory $checkpoints plain
    record $order first "$total"
    for variant in a b; do sizes snap_${order}_$variant $order $variant; done
    write snap_$order $directory $checkpoints plain
    record $order second 0
    if [ $order = daily ]; then
      sql -c 'analyze snap_daily_a, snap_daily_b'
      write snap_daily daily 0 filtered
      record daily filtered 0
    fi
    echo "run $run of the writes, $order: done, load average $(loadavg)" >&2
  done
  sql -c 'drop table snap_daily_checkpoints_a, snap_daily_checkpoints_b'
done
ids=$(sql -c "select last_value from pg_sequences where sequencename = 'snap_daily_b_id_seq'")

# --- reads, on the tables of the last run ---
for order in daily backfill; do
  for variant in a b; do sql -c "vacuum (analyze) snap_${order}_$variant"; done
done
sql -c checkpoint

one="card_id = :c and marketplace_id = :m and kind = :kind and finish = :finish and condition = :condition and language = :language"
read_sql() { # query, table
  case $1 in
    days90) echo "select observed_at, price from $2 where $one and observed_at >= :lower order by observed_at desc limit 90;" ;;
    bounds) echo "select observed_at, price from $2 where $one and observed_at >= :lower and observed_at < :upper order by observed_at desc limit 90;" ;;
    recent10) echo "select observed_at, price from $2 where $one and observed_at >= :recent and observed_at < :upper order by observed_at desc limit 10;" ;;
    last10) echo "select observed_at, price from $2 where $one order by observed_at desc limit 10;" ;;
  esac
}
# Each transaction goes to A or to B at random, in one pgbench run; the rate of each is clients / its mean latency.
bench() { # query, order, clients, figure (none: not recorded)
  local variant
  for variant in a b; do
    { echo "\\set c random(1, $CARDS)"; echo "\\set m random(1, $MARKETS)"; read_sql "$1" "snap_$2_$variant"; } >"$work/$variant.pgbench"
  done
  "$PGBIN/pgbench" -n -M prepared -c "$3" -j "$(($3 > 2 ? 2 : $3))" -T "$SECONDS_EACH" -f "$work/a.pgbench" -f "$work/b.pgbench" \
    -D kind=0 -D finish=0 -D condition=1 -D language=en -D lower="$lower" -D upper="$upper" -D recent="$recent" \
    >"$work/bench" 2>"$work/err" || { cat "$work/err" >&2; exit 1; }
  [ -z "${4:-}" ] || awk -v f="$4" -v clients="$3" '/^SQL script/ {v = $3 == "1:" ? "a" : "b"}
    v && /latency average/ {print f, v, clients * 1000 / $5}' "$work/bench" >>"$work/results"
}
default_partition() { # attach/detach, order
  local variant
  for variant in a b; do
    if [ "$1" = attach ]; then sql -c "alter table snap_$2_$variant attach partition snap_$2_${variant}_other default"
    else sql -c "alter table snap_$2_$variant detach partition snap_$2_${variant}_other"; fi
  done
}
for order in daily backfill; do bench days90 $order 2; done # to warm the cache, not counted
for run in $(seq "$READ_RUNS"); do
  for clients in 1 8; do
    for query in days90 bounds last10 recent10; do bench $query daily $clients "daily:$query:$clients"; done
    default_partition detach daily
    for query in last10 days90; do bench $query daily $clients "daily_nodefault:$query:$clients"; done
    default_partition attach daily
    for query in days90 last10; do bench $query backfill $clients "backfill:$query:$clients"; done
  done
  echo "run $run of the reads: done, load average $(loadavg)" >&2
done

# --- tables ---
stat() { # figure, variant, divisor, format: the median and, in brackets, the least and the greatest
  awk -v f="$1" -v v="$2" '$1 == f && $2 == v {print $3}' "$work/results" | sort -g |
    awk -v d="$3" -v p="$4" '{x[NR] = $1 / d} END {m = NR % 2 ? x[(NR + 1) / 2] : (x[NR / 2] + x[NR / 2 + 1]) / 2
      if (x[1] == x[NR]) printf p, m; else printf p " (" p "-" p ")", m, x[1], x[NR]}'
}
ratio() { # the median of B / A over the runs, within each run
  paste <(awk -v f="$1" '$1 == f && $2 == "a" {print $3}' "$work/results") <(awk -v f="$1" '$1 == f && $2 == "b" {print $3}' "$work/results") |
    awk '$1 > 0 {print $2 / $1}' | sort -g |
    awk '{x[NR] = $1} END {if (!NR) exit; printf "%.2f", NR % 2 ? x[(NR + 1) / 2] : (x[NR / 2] + x[NR / 2 + 1]) / 2
      if (x[NR] - x[1] >= 0.005) printf " (%.2f-%.2f)", x[1], x[NR]}'
}
line() { echo "| $1 | $(stat "$2" a "$3" "$4") | $(stat "$2" b "$3" "$4") | $(ratio "$2") |"; }
table_head() { printf '\n### %s\n\n| | A natural | B surrogate | B/A |\n|---|---|---|---|\n' "$1"; }
name() { case $1 in daily) echo 'daily order' ;; daily_checkpoints) echo 'daily order, checkpoint every 3 batches' ;; backfill) echo 'backfill order' ;;
  daily_nodefault) echo 'daily order, no default partition' ;; esac; }
query_name() { case $1 in days90) echo '90 days, lower bound' ;; bounds) echo '90 days, both bounds' ;;
  last10) echo 'last 10' ;; recent10) echo 'last 10, bounds of 31 days' ;; esac; }

table_head 'Writes: thousand rows/s, median (least-greatest)'
for order in daily daily_checkpoints backfill; do
  line "first, $(name $order)" $order:first:rate 1000 %.1f
  line "second (0 rows written), $(name $order)" $order:second:rate 1000 %.1f
done
line 'second, filtered before the insert, daily order' daily:filtered:rate 1000 %.1f
table_head 'CPU seconds of the server process, for the whole load'
for order in daily daily_checkpoints backfill; do
  line "first, $(name $order)" $order:first:cpu 1 %.1f
  line "second (0 rows written), $(name $order)" $order:second:cpu 1 %.1f
done
line 'second, filtered before the insert, daily order' daily:filtered:cpu 1 %.1f
table_head 'WAL: MB of the whole load'
for order in daily daily_checkpoints backfill; do
  line "first, $(name $order)" $order:first:wal 1e6 %.0f
  line "second (0 rows written), $(name $order)" $order:second:wal 1e6 %.0f
done
line 'second, filtered before the insert, daily order' daily:filtered:wal 1e6 %.1f
table_head 'Sizes after the first run: MB'
for order in daily backfill; do
  line "table, $(name $order)" $order:heap 1e6 %.1f
  line "all indexes, $(name $order)" $order:index 1e6 %.1f
  line "of which the primary key, $(name $order)" $order:primary 1e6 %.1f
done
table_head 'Reads: tps, median (least-greatest)'
for order in daily backfill daily_nodefault; do
  for query in days90 bounds last10 recent10; do
    grep -q "^$order:$query:" "$work/results" || continue
    for clients in 1 8; do line "$(query_name $query), $clients client(s), $(name $order)" $order:$query:$clients 1 %.0f; done
  done
done

# --- behaviour ---
printf '\n### Behaviour\n\n'
echo "- identity values used by B after the first and the second run: $ids (rows: $total)"
try() { # title, statement: prints the command tag or the error
  echo "- $1: $("$PGBIN/psql" -XAt -c "$2" 2>&1 | sed -n 1p)"
}
conflict="on conflict ($natural) do update set price = excluded.price where t.price is distinct from excluded.price"
same="1, 1::int2, 0::int2, 0::int2, 1::int2, 'en'"
into="insert into snap_daily_a as t ($natural, price)"
try 'second observation of the same instant, another price' "$into select $same, timestamptz '$lower 06:00+00', 999999 $conflict"
try 'the same again' "$into select $same, timestamptz '$lower 06:00+00', 999999 $conflict"
try 'rows of that card, marketplace and day afterwards' "select count(*) from snap_daily_a where card_id = 1 and marketplace_id = 1 and observed_at >= '$lower' and observed_at < date '$lower' + 1"
try 'an observation a microsecond later' "$into select $same, timestamptz '$lower 06:00:00.000001+00', 5 $conflict"
try 'the same key twice in one statement' "$into select $same, timestamptz '$lower 06:00+00', p from (values (7), (8)) v (p) $conflict"
try 'B: a row put straight into a partition' "insert into snap_daily_b_other ($natural, price) select $same, timestamptz '1999-01-01 06:00+00', 5"
sql -c 'create table pointer (id bigint)'
try 'B: a foreign key to id alone' "alter table pointer add foreign key (id) references snap_daily_b (id)"

# --- plans ---
prepared() { # query, table
  read_sql "$1" "$2" | sed 's/:condition/$5/; s/:kind/$3/; s/:finish/$4/; s/:language/$6/; s/:lower/$7/; s/:upper/$8/; s/:recent/$9/; s/:c/$1/; s/:m/$2/
    s/^/prepare q(int4, int2, int2, int2, int2, text, timestamptz, timestamptz, timestamptz) as /'
}
explain() { # title, query, table, plan_cache_mode
  local text
  text=$(prepared "$2" "$3")
  printf '\n#### %s (%s)\n\n```\n' "$1" "$4"
  sql -c "set plan_cache_mode = $4" \
    -c "$text" \
    -c "explain (analyze, buffers, timing off, summary on, costs off) execute q(42, 2, 0, 0, 1, 'en', '$lower', '$upper', '$recent')"
  echo '```'
}
choice() { # title, query, table: what the planner keeps after 20 executions
  local text i
  text=$(prepared "$2" "$3")
  {
    echo "$text"
    echo '\o /dev/null'
    for i in $(seq 20); do echo "execute q($i, 2, 0, 0, 1, 'en', '$lower', '$upper', '$recent');"; done
    echo '\o'
    echo "select 'custom ' || custom_plans || ', generic ' || generic_plans from pg_prepared_statements;"
  } >"$work/choice.sql"
  echo "- $1: $(sql -f "$work/choice.sql")"
}
printf '\n### Plans\n\nOf 20 executions of one prepared statement:\n\n'
for query in days90 bounds last10 recent10; do
  for variant in a b; do choice "$(query_name $query), ${variant^^}, daily" $query snap_daily_$variant; done
done
for variant in a b; do
  for query in days90 bounds last10 recent10; do
    explain "$(query_name $query), ${variant^^}, daily" $query snap_daily_$variant force_custom_plan
  done
done
explain 'last 10, A, backfill' last10 snap_backfill_a force_custom_plan
explain '90 days, lower bound, A, backfill' days90 snap_backfill_a force_custom_plan
for query in days90 bounds last10 recent10; do explain "$(query_name $query), A, daily" $query snap_daily_a force_generic_plan; done
default_partition detach daily
printf '\nWithout a default partition, of 20 executions:\n\n'
for query in days90 last10; do choice "$(query_name $query), A, daily" $query snap_daily_a; done
for variant in a b; do explain "last 10, ${variant^^}, daily, no default partition" last10 snap_daily_$variant force_custom_plan; done
explain '90 days, lower bound, A, daily, no default partition' days90 snap_daily_a force_custom_plan
for query in days90 last10; do explain "$(query_name $query), A, daily, no default partition" $query snap_daily_a force_generic_plan; done
printf '\nload average at the end %s\n' "$(loadavg)"
