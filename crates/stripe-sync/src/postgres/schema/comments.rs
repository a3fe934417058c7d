//! Comments on the tables, views and columns of a copy, as `\d+` of psql shows them. Pure.

use std::fmt::Write as _;

use crate::catalog::{Catalog, Nested, Table};
use crate::postgres::names::{Names, literal};

/// The comments of a table or view and its columns.
struct Comments {
    table: &'static str,
    comment: &'static str,
    /// Column and comment.
    columns: &'static [(&'static str, &'static str)],
}

/// The engine's own tables and views.
const ENGINE_TABLES: [Comments; 11] = [
    Comments {
        table: "sync_status",
        comment: "Progress of each stream of each backfill run",
        columns: &[
            ("account_id", "Stripe account"),
            ("run_id", "Run, as in _runs"),
            (
                "run_status",
                "Status of the whole run: running, complete, incomplete, failed, unavailable or abandoned",
            ),
            ("started_at", "When the run started"),
            ("finished_at", "When the run finished; null while it is not finished"),
            ("range", "Range of created times, as typed"),
            ("stream", "Stream, named by its table"),
            ("status", "Status of the stream: running, complete, skipped, denied or failed"),
            ("unfiltered", "Whether a range was requested that Stripe cannot filter this list by"),
            ("rows", "Rows read so far"),
            ("requests", "Requests to Stripe so far"),
            ("open_slices", "Slices that are not finished"),
            (
                "leased_until",
                "When the last lease of a slice ends; in the future while a process works on the stream",
            ),
            ("message", "Why the stream is not complete"),
            ("request_id", "Stripe's ID of the request that failed"),
            ("updated_at", "When the status of the stream last changed"),
        ],
    },
    Comments {
        table: "_runs",
        comment: "Backfill runs; the same command resumes an unfinished run",
        columns: &[
            ("id", "Run ID"),
            ("account_id", "Stripe account"),
            ("identity", "What a command must match to resume the run"),
            ("objects", "Requested objects, as typed"),
            ("range", "Requested range of created times, as typed"),
            ("since", "Start of the range in Unix seconds, inclusive; null is unbounded"),
            ("until", "End of the range in Unix seconds, exclusive; null is unbounded"),
            ("catalog_version", "Version of the table definitions that the run started with"),
            (
                "status",
                "running; complete; incomplete: streams were denied or rows quarantined; failed: a stream failed, and the same command resumes the run; unavailable: every stream was skipped; abandoned: replaced with --fresh",
            ),
            ("started_at", "When the run started"),
            ("finished_at", "When the run finished; null while it is not finished"),
            ("event_cursor", "Unix second from which Stripe's events cover changes during the run"),
        ],
    },
    Comments {
        table: "_streams",
        comment: "Streams of each run; a stream is one Stripe list that is copied into one table",
        columns: &[
            ("run_id", "Run, as in _runs"),
            ("stream", "Stream, named by its table"),
            ("status", "running, complete, skipped, denied or failed"),
            ("part", "Which part of the list is being read; most lists have only part 0"),
            ("unfiltered", "Whether a range was requested that Stripe cannot filter this list by"),
            ("rows", "Rows of finished slices"),
            ("requests", "Requests to Stripe for finished slices"),
            ("message", "Why the stream is not complete"),
            ("request_id", "Stripe's ID of the request that failed"),
            ("updated_at", "When the status of the stream last changed"),
        ],
    },
    Comments {
        table: "_slices",
        comment: "Unfinished slices; a slice is a range of created times of one stream that one worker reads",
        columns: &[
            ("id", "Slice ID"),
            ("run_id", "Run, as in _runs"),
            ("stream", "Stream, named by its table"),
            ("part", "Part of the list, as in _streams"),
            ("created_from", "Start of the range in Unix seconds, inclusive; null is unbounded"),
            ("created_before", "End of the range in Unix seconds, exclusive; null is unbounded"),
            ("trail", "ID and created time of the last rows read; the last one is the cursor"),
            ("first_created", "Created time of the first row read, in Unix seconds"),
            ("cursor_created", "Created time of the cursor, in Unix seconds"),
            ("rows", "Rows read so far"),
            ("pages", "Pages read so far"),
            ("requests", "Requests to Stripe so far"),
            ("restarts", "How often the slice was restarted because its cursors no longer existed"),
            ("seq", "Number of position changes; a commit must name the current one"),
            ("epoch", "Number of claims; a former owner cannot commit with an older one"),
            ("owner", "Process that works on the slice"),
            ("lease_until", "When the slice becomes free unless its owner extends the lease"),
        ],
    },
    Comments {
        table: "_tombstones",
        comment: "Objects that were deleted in Stripe and have no row; kept for 35 days or longer",
        columns: &[
            ("table_name", "Table that the row was deleted from"),
            ("account_id", "Stripe account"),
            ("id", "Object ID"),
            ("deleted_at", "When the deletion was observed, on Stripe's clock"),
        ],
    },
    Comments {
        table: "_quarantine",
        comment: "Objects that PostgreSQL rejected, or that could not be read completely",
        columns: &[
            ("table_name", "Table that the row belongs to"),
            ("account_id", "Stripe account"),
            ("id", "Object ID, or a name derived from the object if it has none"),
            ("reason", "Why the object is quarantined, without values"),
            ("sqlstate", "PostgreSQL error code"),
            ("request_id", "Stripe's ID of the request that returned the object"),
            ("seen_at", "When the state of the object was observed, on Stripe's clock"),
            ("object", "The object as Stripe sent it, without excluded columns"),
        ],
    },
    Comments {
        table: "_inbox",
        comment: "Objects to fetch, because an event about them could not be applied directly",
        columns: &[
            ("account_id", "Stripe account"),
            ("table_name", "Table of the object"),
            ("id", "Object ID"),
            ("reason", "uncertain, incomplete, other_version or revalidation"),
            ("requested_at", "When an event last asked for the object"),
            (
                "generation",
                "Incremented by each event and lease; if it changed during a fetch, the entry is kept",
            ),
            ("attempts", "Failures so far"),
            ("next_attempt_at", "Earliest time of the next attempt"),
            (
                "leased_until",
                "When another process may fetch the object; null if no process is fetching it",
            ),
            ("last_error", "Why the last attempt failed"),
            ("dead", "Whether too many attempts failed; refresh the object to try again"),
        ],
    },
    Comments {
        table: "_event_cursors",
        comment: "How far the events of each account have been applied",
        columns: &[
            ("account_id", "Stripe account"),
            ("second", "Unix second; all events created before it have been applied"),
            ("owner", "Process that reads the events"),
            ("leased_until", "When another process may read the events"),
            ("updated_at", "When the cursor last moved"),
        ],
    },
    Comments {
        table: "_unstored_events",
        comment: "Events that stored nothing",
        columns: &[
            ("account_id", "Stripe account whose copy received them"),
            ("event_type", "Type of the events"),
            ("reason", "Why nothing was stored"),
            ("count", "Number of events"),
            ("last_id", "ID of the last event"),
            ("last_at", "When the last event was received"),
        ],
    },
    Comments {
        table: "_migrations",
        comment: "Versions of the table definitions that this schema has been migrated to",
        columns: &[
            ("catalog_version", "Version of the table definitions"),
            ("migrated_at", "When the schema was migrated"),
        ],
    },
    Comments {
        table: "_meta",
        comment: "Properties of the whole schema",
        columns: &[
            (
                "key",
                "mode, schema_revision, excluded_columns, columns_to_clear, adopted_for, only_account, waiting/RUN/PROCESS or to_validate/FOREIGN_KEY",
            ),
            ("value", "Value of the key"),
        ],
    },
];

/// The system columns of every table of rows.
const SYSTEM_COLUMNS: [(&str, &str); 4] = [
    ("_account_id", "Stripe account that the row belongs to"),
    ("_extra", "Properties that have no column, and values that do not fit their column"),
    (
        "last_synced_at",
        "The time on Stripe's clock at which the row showed the state of the object",
    ),
    ("updated_at", "When the contents of the row last changed"),
];

/// Adds comments to everything that has none. Comments that users wrote are kept.
pub(super) fn add(catalog: &Catalog, names: &Names) -> String {
    let mut tables: Vec<(String, String)> = Vec::new();
    let mut columns: Vec<(String, &str, &str)> = Vec::new();
    for Comments { table, comment, columns: its_columns } in ENGINE_TABLES {
        tables.push((names.bare(table), comment.to_owned()));
        columns
            .extend(its_columns.iter().map(|(column, text)| (names.bare(table), *column, *text)));
    }
    for table in &catalog.tables {
        tables.push((names.bare(&table.name), describe(table)));
        let bare = || names.bare(&table.name);
        columns.extend(SYSTEM_COLUMNS.iter().map(|(column, text)| (bare(), *column, *text)));
    }
    let tables =
        tables.iter().map(|(table, text)| format!("({}, null, {})", literal(table), literal(text)));
    let columns = columns.iter().map(|(table, column, text)| {
        format!("({}, {}, {})", literal(table), literal(column), literal(text))
    });
    let values: Vec<String> = tables.chain(columns).collect();
    let mut out = String::from("do $stripe_sync$ declare c record; begin\n");
    let _ = write!(
        out,
        "for c in
  select r.relkind, r.relname, a.attname, n.nspname, v.comment
  from (values\n{values}
  ) v (relation, attribute, comment)
  join pg_catalog.pg_namespace n on n.nspname = {schema}
  join pg_catalog.pg_class r on r.relnamespace = n.oid and r.relname = v.relation
    and r.relkind in ('r', 'p', 'v')
  left join pg_catalog.pg_attribute a on a.attrelid = r.oid and a.attname = v.attribute
    and not a.attisdropped
  where (v.attribute is null or a.attname is not null)
    and not exists (select 1 from pg_catalog.pg_description d
      where d.classoid = 'pg_catalog.pg_class'::regclass and d.objoid = r.oid
        and d.objsubid = coalesce(a.attnum, 0))
loop
  execute case
    when c.attname is not null then format('comment on column %I.%I.%I is %L',
      c.nspname, c.relname, c.attname, c.comment)
    when c.relkind = 'v' then format('comment on view %I.%I is %L', c.nspname, c.relname, c.comment)
    else format('comment on table %I.%I is %L', c.nspname, c.relname, c.comment)
  end;
end loop;
",
        values = values.join(",\n"),
        schema = literal(names.schema()),
    );
    out.push_str("end $stripe_sync$;\n");
    out
}

/// What the rows of a table are.
fn describe(table: &Table) -> String {
    let object = &table.object;
    let mut text = match (&table.list, table.parent_table()) {
        (Some(list), _) => format!("Stripe objects of type {object}, from the list {}", list.path),
        (None, Some(parent)) => {
            let is_its_list = |nested: &&Nested| nested.table.as_ref() == Some(&table.name);
            let list = parent.nested.iter().find(is_its_list).map_or("", |n| n.path.as_str());
            format!("Items of the list {list} in Stripe objects of type {}", parent.object)
        }
        (None, None) => format!("Stripe objects of type {object}"),
    };
    if !table.not_shown.is_empty() {
        let _ = write!(text, ". The list does not contain: {}", table.not_shown.join("; "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::schema::shape::STATE;

    #[test]
    fn every_engine_table_has_a_comment() {
        for (table, _) in STATE {
            assert!(ENGINE_TABLES.iter().any(|comments| comments.table == table), "{table}");
        }
    }

    #[test]
    fn comments_of_the_tables_of_rows() {
        let describe = |t: &Table| format!("{}: {}", t.name, describe(t));
        let all: Vec<String> = Catalog::get().tables.iter().map(describe).collect();
        insta::assert_snapshot!(all.join("\n"));
    }
}
