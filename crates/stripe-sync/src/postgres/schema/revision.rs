//! The revision of the engine's own tables, and the renames and columns that bring a schema of an
//! earlier revision to it.
//!
//! The revision is stored in `_meta`. It is independent of the catalog's version, which is part of
//! a run's identity: a run that an earlier version started is resumed after the upgrade
//! (`upgrade::a_run_of_the_previous_version_resumes`). A schema without a stored revision has
//! revision 1.

use std::fmt::Write as _;

use deadpool_postgres::Transaction;

use crate::postgres::exclusions::list;
use crate::postgres::meta_keys::{
    ADOPTED_FOR, COLUMNS_TO_CLEAR, EXCLUDED_COLUMNS, SCHEMA_REVISION,
};
use crate::postgres::names::{Names, literal};

/// The revision of this version. Revision 2 renamed columns of `_slices` and keys of `_meta` and
/// added comments. Revision 3 added an index of `_streams` and changed comments. Revision 4 added
/// `_streams.outdated`. Revision 5 added the view `stripe_migrations`.
pub(super) const REVISION: u32 = 5;

/// Columns of `_slices`: the name in revision 1 and the current name.
const SLICE_COLUMNS: [(&str, &str); 4] = [
    ("lo", "created_from"),
    ("hi", "created_before"),
    ("top", "first_created"),
    ("bottom", "cursor_created"),
];

/// Keys of `_meta`: the name in revision 1 and the current name.
const META_KEYS: [(&str, &str); 3] = [
    ("left_out_columns", EXCLUDED_COLUMNS),
    ("uncleared_columns", COLUMNS_TO_CLEAR),
    ("taken_over_for", ADOPTED_FOR),
];

/// Reads the revision of a schema that has `_meta`.
pub(super) async fn read(
    transaction: &Transaction<'_>,
    names: &Names,
) -> Result<u32, tokio_postgres::Error> {
    let sql = format!("select value from {} where key = '{SCHEMA_REVISION}'", names.table("_meta"));
    let row = transaction.query_typed_opt(&sql, &[]).await?;
    Ok(row.and_then(|row| row.get::<_, &str>(0).parse().ok()).unwrap_or(1))
}

/// Stores [`REVISION`].
pub(super) fn store(names: &Names) -> String {
    format!(
        "insert into {} (key, value) values ('{SCHEMA_REVISION}', '{REVISION}') \
         on conflict (key) do update set value = excluded.value;\n",
        names.table("_meta")
    )
}

/// Adds the columns that revisions after the first one added. They have a constant default, so
/// no table is rewritten.
pub(super) fn add_columns(names: &Names) -> String {
    format!(
        "alter table {} add column if not exists outdated boolean not null default false;\n",
        names.table("_streams")
    )
}

/// Renames everything that has another name in revision 1, if the tables exist.
///
/// The lock is taken before the tables are locked. It waits for transactions that have read the
/// excluded columns under the old key, and those can be waiting for the tables.
pub(super) fn rename(names: &Names) -> String {
    let lock = list::lock_key(names);
    let mut out = format!("select pg_advisory_xact_lock({lock});\n");
    out.push_str(&rename_slice_columns(names));
    out.push_str(&rename_meta_keys(names));
    out
}

fn rename_slice_columns(names: &Names) -> String {
    let slices = names.table("_slices");
    let mut out = String::from("do $$ begin\n");
    for (old, new) in SLICE_COLUMNS {
        let _ = writeln!(
            out,
            "if exists (select 1 from pg_catalog.pg_attribute where attrelid = to_regclass({}) \
             and attname = '{old}' and not attisdropped) then\n  \
             alter table {slices} rename column {old} to {new};\nend if;",
            literal(&slices),
        );
    }
    out.push_str("end $$;\n");
    out
}

/// Renames only the keys of `_meta`, for an adoption that an earlier version started.
pub(in crate::postgres) fn rename_meta_keys(names: &Names) -> String {
    let meta = names.table("_meta");
    let mut out = format!("do $$ begin\nif to_regclass({}) is not null then\n", literal(&meta));
    for (old, new) in META_KEYS {
        let _ = writeln!(
            out,
            "  update {meta} set key = '{new}' where key = '{old}' \
             and not exists (select 1 from {meta} where key = '{new}');",
        );
    }
    out.push_str("end if;\nend $$;\n");
    out
}
