//! Comments on the tables, views and columns of a copy, as `\d+` of psql shows them. Pure.

use std::fmt::Write as _;

use crate::catalog::{Catalog, Nested, Table};
use crate::postgres::names::Names;

/// The comments of a table or view and its columns.
struct Comments {
    table: &'static str,
    comment: &'static str,
    /// Column and comment.
    columns: &'static [(&'static str, &'static str)],
}

/// The engine's own tables and views.
const ENGINE_TABLES: [Comments; 13] = [
    Comments {
        table: "stripe_migrations",
        comment: "Migrations of the schema, in the form of the TypeScript engines",
        columns: &[
            ("id", "Number of the migration"),
            ("name", "Version of the catalog of tables"),
            ("hash", "MD5 hash of the name"),
            ("executed_at", "When the schema was first migrated to this version"),
        ],
    },
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
            (
                "unfiltered",
                "Whether a range was requested although Stripe cannot filter this list by it",
            ),
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
            (
                "unfiltered",
                "Whether a range was requested although Stripe cannot filter this list by it",
            ),
            ("rows", "Rows of finished slices"),
            ("requests", "Requests to Stripe for finished slices"),
            ("message", "Why the stream is not complete"),
            ("request_id", "Stripe's ID of the request that failed"),
            ("updated_at", "When the status of the stream last changed"),
            (
                "outdated",
                "Whether later runs read everything again; set by --fresh and --include-column",
            ),
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
            ("reason", "uncertain, incomplete, other_version, revalidation or gap"),
            ("requested_at", "When an event last asked for the object"),
            (
                "generation",
                "Incremented by each event; if it changed during a fetch, the entry is kept",
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
        table: "_listings",
        comment: "Streams that are listed again after their backfill",
        columns: &[
            ("account_id", "Stripe account"),
            ("table_name", "Table of the stream"),
            ("second", "Unix second; objects created before it were listed"),
            ("listed_at", "When the newest objects were last listed"),
            ("thorough_at", "When older objects, or all objects, were last listed"),
            (
                "gap_until",
                "Unix second; earlier events are lost, so changes are missing until the stream is listed",
            ),
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

/// Texts of earlier versions. In an existing schema they are replaced.
pub(super) const FORMER: [&str; 25] = [
    "Backfill runs; the same command continues an unfinished run",
    "Facts about the whole schema",
    "Id and created time of the last rows read; the last one is the cursor",
    "Id of the last event",
    "Incremented by each event and lease; if it changed during a fetch, the entry is kept",
    "Number of claims; a former owner cannot commit under an older one",
    "Number of events and leases; a renewed entry stays for another fetch",
    "Number of position changes; each commit names the one it follows",
    "Object id",
    "Object id, or a name derived from the object if it has none",
    "Objects that PostgreSQL refused to store as rows",
    "Objects to fetch, because an event about them could not be applied as it came",
    "Run id",
    "Slice id",
    "Stripe's id of the request that failed",
    "Stripe's id of the request that returned the object",
    "What a command must have in common with the run to continue it",
    "When another process may fetch the object; null if none does",
    "When older objects, or all, were listed last",
    "When the newest objects were listed last",
    "When the object is fetched at the earliest",
    "When the row was last refused",
    "Whether a range was requested that Stripe cannot filter this list by",
    "Why the row was refused, without its values",
    "running; complete; incomplete: streams were denied or rows quarantined; failed: a stream failed, and the same command continues the run; unavailable: every stream was skipped; abandoned: replaced with --fresh",
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

/// The comment that a table, view or column should have.
pub(super) struct Comment {
    /// The table or view, with its prefix.
    pub(super) relation: String,
    /// `None` is the relation itself.
    pub(super) column: Option<&'static str>,
    pub(super) text: String,
    /// What earlier versions wrote instead, besides [`FORMER`].
    pub(super) former: Vec<String>,
    /// How longer texts of earlier versions began.
    pub(super) former_start: Option<String>,
}

/// All comments.
pub(super) fn all(catalog: &'static Catalog, names: &Names) -> Vec<Comment> {
    let comment = |table: &str, column, text: &str| Comment {
        relation: names.bare(table),
        column,
        text: text.to_owned(),
        former: Vec::new(),
        former_start: None,
    };
    let mut all = Vec::new();
    for Comments { table, comment: text, columns } in ENGINE_TABLES {
        all.push(comment(table, None, text));
        all.extend(columns.iter().map(|(column, text)| comment(table, Some(*column), text)));
    }
    for table in &catalog.tables {
        let origin = describe_origin(table);
        let former_start = Some(format!("{origin}{NOT_CONTAINED}"));
        let text = describe(table);
        let mut former = vec![origin];
        former.extend(table.parent_table().map(|parent| {
            format!("Items of a list in each {}: objects of type {}", parent.object, table.object)
        }));
        all.push(Comment { former, former_start, ..comment(&table.name, None, &text) });
        let system = SYSTEM_COLUMNS.iter();
        all.extend(system.map(|(column, text)| comment(&table.name, Some(*column), text)));
    }
    all
}

/// The beginning of the list of objects that a table lacks.
const NOT_CONTAINED: &str = ". The list does not contain: ";

/// What the rows of a table are.
fn describe(table: &Table) -> String {
    let mut text = describe_origin(table);
    if !table.not_shown.is_empty() {
        let _ = write!(text, "{NOT_CONTAINED}{}", table.not_shown.join("; "));
    }
    text
}

/// The type of the objects, and where they come from.
fn describe_origin(table: &Table) -> String {
    let object = &table.object;
    match (&table.list, table.parent_table()) {
        (Some(list), _) => format!("Stripe objects of type {object}, from the list {}", list.path),
        (None, Some(parent)) => {
            let is_its_list = |nested: &&Nested| nested.table.as_ref() == Some(&table.name);
            let list = parent.nested.iter().find(is_its_list).map_or("", |n| n.path.as_str());
            format!("Items of the list {list} in Stripe objects of type {}", parent.object)
        }
        (None, None) => format!("Stripe objects of type {object}"),
    }
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

    /// If a text changes, its earlier version belongs in [`FORMER`], and the revision of the schema
    /// has to be raised.
    #[test]
    fn comments_of_the_engine_tables() {
        let mut texts = Vec::new();
        for Comments { table, comment, columns } in ENGINE_TABLES {
            texts.push(format!("{table}: {comment}"));
            texts.extend(columns.iter().map(|(column, text)| format!("  {column}: {text}")));
        }
        texts.extend(SYSTEM_COLUMNS.iter().map(|(column, text)| format!("{column}: {text}")));
        insta::assert_snapshot!(texts.join("\n"));
    }

    #[test]
    fn comments_of_the_tables_of_rows() {
        let describe = |t: &Table| format!("{}: {}", t.name, describe(t));
        let all: Vec<String> = Catalog::get().tables.iter().map(describe).collect();
        insta::assert_snapshot!(all.join("\n"));
    }
}
