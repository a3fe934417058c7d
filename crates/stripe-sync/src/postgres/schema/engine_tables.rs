//! The DDL of the engine's own tables and of the views `sync_status` and `stripe_migrations`. Pure.

use crate::postgres::names::{Names, literal};

/// The table of properties of the whole schema.
pub(in crate::postgres) fn create_meta(names: &Names) -> String {
    format!(
        "create table if not exists {} (\n  key text primary key,\n  value text not null\n);\n",
        names.table("_meta")
    )
}

/// The ledger, tombstones, the quarantine, the inbox, and the record of migrations.
pub(super) fn create_tables(names: &Names) -> String {
    let t = |name: &str| names.table(name);
    format!(
        "{meta}create table if not exists {migrations} (
  catalog_version text primary key,
  migrated_at timestamptz not null default now()
);
create table if not exists {runs} (
  id bigint generated always as identity primary key,
  account_id text not null,
  identity text not null,
  objects text not null,
  range text not null,
  since bigint,
  until bigint,
  catalog_version text not null,
  status text not null default 'running',
  started_at timestamptz not null default now(),
  finished_at timestamptz,
  event_cursor bigint not null
) with (fillfactor = 50);
create index if not exists {runs_identity} on {runs} (identity, id desc);
create table if not exists {streams} (
  run_id bigint not null,
  stream text not null,
  status text not null default 'running',
  part int not null default 0,
  unfiltered boolean not null default false,
  rows bigint not null default 0,
  requests bigint not null default 0,
  message text,
  request_id text,
  updated_at timestamptz not null default now(),
  outdated boolean not null default false,
  primary key (run_id, stream)
) with (fillfactor = 50);
create index if not exists {streams_stream} on {streams} (stream, run_id desc);
create table if not exists {slices} (
  id bigint generated always as identity primary key,
  run_id bigint not null,
  stream text not null,
  part int not null,
  created_from bigint,
  created_before bigint,
  trail jsonb not null default '[]',
  first_created bigint,
  cursor_created bigint,
  rows bigint not null default 0,
  pages bigint not null default 0,
  requests bigint not null default 0,
  restarts int not null default 0,
  seq bigint not null default 0,
  epoch bigint not null default 0,
  owner text,
  lease_until timestamptz
) with (fillfactor = 30, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);
create index if not exists {slices_run} on {slices} (run_id, stream);
create table if not exists {tombstones} (
  table_name text not null,
  account_id text not null,
  id text not null,
  deleted_at timestamptz not null,
  primary key (table_name, account_id, id)
);
create table if not exists {quarantine} (
  table_name text not null,
  account_id text not null,
  id text not null,
  reason text not null,
  sqlstate text,
  request_id text,
  seen_at timestamptz not null,
  object text not null,
  primary key (table_name, account_id, id)
);
create table if not exists {inbox} (
  account_id text not null,
  table_name text not null,
  id text not null,
  reason text not null,
  requested_at timestamptz not null default now(),
  generation bigint not null default 0,
  attempts int not null default 0,
  next_attempt_at timestamptz not null default now(),
  leased_until timestamptz,
  last_error text,
  dead boolean not null default false,
  primary key (account_id, table_name, id)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
create index if not exists {inbox_next} on {inbox} (account_id, next_attempt_at) where not dead;
create table if not exists {event_cursors} (
  account_id text primary key,
  second bigint not null,
  owner text,
  leased_until timestamptz,
  updated_at timestamptz not null default now()
) with (fillfactor = 50);
create table if not exists {listings} (
  account_id text not null,
  table_name text not null,
  second bigint,
  listed_at timestamptz,
  thorough_at timestamptz,
  gap_until bigint,
  primary key (account_id, table_name)
) with (fillfactor = 50);
create table if not exists {unstored_events} (
  account_id text not null,
  event_type text not null,
  reason text not null,
  count bigint not null,
  last_id text not null,
  last_at timestamptz not null default now(),
  primary key (account_id, event_type, reason)
) with (fillfactor = 50);
",
        inbox = t("_inbox"),
        inbox_next = names.index("_inbox", "next"),
        event_cursors = t("_event_cursors"),
        listings = t("_listings"),
        unstored_events = t("_unstored_events"),
        meta = create_meta(names),
        migrations = t("_migrations"),
        runs = t("_runs"),
        runs_identity = names.index("_runs", "identity"),
        streams = t("_streams"),
        streams_stream = names.index("_streams", "stream"),
        slices = t("_slices"),
        slices_run = names.index("_slices", "run"),
        tombstones = t("_tombstones"),
        quarantine = t("_quarantine"),
    )
}

/// One row per stream of every run.
pub(super) fn create_status_view(names: &Names) -> String {
    format!(
        "create or replace view {view} as
select r.account_id, r.id as run_id, r.status as run_status, r.started_at, r.finished_at,
       r.range, s.stream, s.status, s.unfiltered,
       s.rows + coalesce(sum(l.rows), 0)::bigint as rows,
       s.requests + coalesce(sum(l.requests), 0)::bigint as requests,
       count(l.id) as open_slices, max(l.lease_until) as leased_until,
       s.message, s.request_id, s.updated_at
from {runs} r
join {streams} s on s.run_id = r.id
left join {slices} l on l.run_id = r.id and l.stream = s.stream
group by r.id, s.run_id, s.stream;
",
        view = names.table("sync_status"),
        runs = names.table("_runs"),
        streams = names.table("_streams"),
        slices = names.table("_slices"),
    )
}

/// A view that shows the migrations in the form of the TypeScript engines, whose guides query it.
///
/// If its name already belongs to something else, such as a table of one of these engines, that is
/// kept, and the view is not created.
pub(super) fn create_migrations_view(names: &Names) -> String {
    let view = names.table("stripe_migrations");
    format!(
        "do $$ begin
if to_regclass({literal}) is null then
  create view {view} as
  select (row_number() over (order by migrated_at, catalog_version))::int as id,
         catalog_version as name, md5(catalog_version) as hash, migrated_at as executed_at
  from {migrations};
end if;
end $$;
",
        literal = literal(&view),
        migrations = names.table("_migrations"),
    )
}

/// Makes the ids of a recreated `_runs` continue after the run ids that `_streams` still refers to.
pub(super) fn continue_run_ids(names: &Names) -> String {
    let (runs, streams) = (names.table("_runs"), names.table("_streams"));
    format!(
        "select setval(pg_get_serial_sequence({literal}, 'id'), m.last + 1, false) from (select \
         greatest((select max(run_id) from {streams}), (select max(id) from {runs})) as last) m \
         where m.last is not null;\n",
        literal = literal(&runs),
    )
}
