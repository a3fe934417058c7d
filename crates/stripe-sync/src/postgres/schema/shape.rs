//! Compares the relations of a schema with those that a migration creates: their kind, columns and
//! key. Users drop and rename relations, and other programs use the same names.
//!
//! Types are not compared: rows that do not fit a column of another type are quarantined.

use deadpool_postgres::Transaction;
use tokio_postgres::types::Type;

use crate::catalog::{Catalog, Table};
use crate::postgres::names::Names;

/// The engine's own tables, each with a column that identifies it.
pub(in crate::postgres) const STATE: [(&str, &str); 11] = [
    ("_migrations", "catalog_version"),
    ("_meta", "value"),
    ("_runs", "identity"),
    ("_streams", "run_id"),
    ("_slices", "epoch"),
    ("_tombstones", "deleted_at"),
    ("_quarantine", "reason"),
    ("_inbox", "generation"),
    ("_event_cursors", "second"),
    ("_listings", "gap_until"),
    ("_unstored_events", "event_type"),
];
const VIEW: &str = "sync_status";
/// The system columns of every table of rows.
const SYSTEM_COLUMNS: [&str; 4] = ["_account_id", "_extra", "last_synced_at", "updated_at"];

/// The relations of a schema that have one of our names.
pub(in crate::postgres) struct Shape(Vec<Relation>);

struct Relation {
    /// Without the table prefix.
    name: &'static str,
    /// As in `pg_class.relkind`.
    kind: char,
    columns: Vec<String>,
    /// It has a unique index on id and account, which every upsert names.
    has_key: bool,
    /// Row-level security applies to this user and hides every row, because there is no policy.
    hidden: bool,
}

/// Reads the relations. Takes no locks on them.
pub(in crate::postgres) async fn read(
    transaction: &Transaction<'_>,
    names: &Names,
) -> Result<Shape, tokio_postgres::Error> {
    let ours: Vec<(&'static str, String)> =
        all_names().map(|name| (name, names.bare(name))).collect();
    let bare: Vec<&str> = ours.iter().map(|(_, bare)| bare.as_str()).collect();
    let sql = "
        select c.relname::text, c.relkind::text,
          array(select a.attname::text from pg_catalog.pg_attribute a
            where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
          exists (select 1 from pg_catalog.pg_index i
            where i.indrelid = c.oid and i.indisunique and i.indisvalid and i.indimmediate
            and i.indpred is null and i.indexprs is null and i.indnkeyatts = 2
            and (select array_agg(a.attname::text order by a.attname)
              from pg_catalog.pg_attribute a
              where a.attrelid = c.oid and a.attnum = any(i.indkey)) @> '{_account_id,id}'),
          c.relrowsecurity and pg_catalog.row_security_active(c.oid)
            and not exists (select 1 from pg_catalog.pg_policy p where p.polrelid = c.oid)
        from pg_catalog.pg_class c
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where n.nspname = $1 and c.relname = any($2)";
    let params: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 2] =
        [(&names.schema(), Type::TEXT), (&bare, Type::TEXT_ARRAY)];
    let rows = transaction.query_typed(sql, &params).await?;
    let relation = |row: &tokio_postgres::Row| {
        let found: &str = row.get(0);
        let (name, _) = ours.iter().find(|(_, bare)| bare == found)?;
        Some(Relation {
            name,
            kind: row.get::<_, &str>(1).chars().next()?,
            columns: row.get(2),
            has_key: row.get(3),
            hidden: row.get(4),
        })
    };
    Ok(Shape(rows.iter().filter_map(relation).collect()))
}

impl Shape {
    /// Whether the schema has been migrated: it has our record of migrations.
    pub(in crate::postgres) fn is_migrated(&self) -> bool {
        self.find("_migrations").is_some_and(Relation::is_engine_table)
    }

    /// Whether no relation or column is missing.
    pub(in crate::postgres) fn is_complete(&self) -> bool {
        self.find(VIEW).is_some()
            && STATE.iter().all(|(name, _)| self.find(name).is_some())
            && Catalog::get().tables.iter().all(|table| {
                let mut columns =
                    table.columns.iter().map(|c| c.name.as_str()).chain(SYSTEM_COLUMNS);
                self.find(&table.name).is_some_and(|r| columns.all(|column| r.has(column)))
            })
    }

    /// Descriptions of what only the owner can correct: names that are used for something else, and
    /// missing keys.
    pub(in crate::postgres) fn obstacles(&self) -> Vec<String> {
        let migrated = self.is_migrated();
        let obstacle = |relation: &Relation| relation.obstacle(migrated);
        let mut obstacles: Vec<String> = self.0.iter().filter_map(obstacle).collect();
        if migrated && self.find("_meta").is_none() {
            obstacles
                .push("_meta is missing (it held the mode and the excluded columns)".to_owned());
        }
        obstacles.sort();
        obstacles
    }

    /// Tables of rows that lack a column, in the order of the catalog.
    pub(in crate::postgres) fn tables_without(&self, column: &str) -> Vec<String> {
        let tables = Catalog::get().tables.iter().map(|table| table.name.as_str());
        let lacks = |name: &&str| self.find(name).is_some_and(|r| !r.has(column));
        tables.filter(lacks).map(str::to_owned).collect()
    }

    /// Tables whose rows are hidden by row-level security without a policy.
    pub(in crate::postgres) fn hidden(&self) -> Vec<String> {
        self.0.iter().filter(|r| r.hidden).map(|r| r.name.to_owned()).collect()
    }

    /// Whether a table is missing, or has this column.
    pub(in crate::postgres) fn has_column(&self, table: &Table, column: &str) -> bool {
        self.find(&table.name).is_none_or(|relation| relation.has(column))
    }

    fn find(&self, name: &str) -> Option<&Relation> {
        self.0.iter().find(|relation| relation.name == name)
    }
}

impl Relation {
    fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|c| c == column)
    }

    fn is_table_of_rows(&self) -> bool {
        Catalog::get().table(self.name).is_some()
    }

    fn is_engine_table(&self) -> bool {
        let column = STATE.iter().find(|(name, _)| *name == self.name).map(|(_, column)| column);
        self.kind == 'r' && column.is_some_and(|column| self.has(column))
    }

    fn obstacle(&self, migrated: bool) -> Option<String> {
        let is_ours = match self.kind {
            kind if self.name == VIEW => kind == 'v',
            _ if !self.is_table_of_rows() => self.is_engine_table(),
            'r' | 'p' if migrated && !self.has_key => {
                return Some(format!("{} is missing its primary key (id, _account_id)", self.name));
            }
            'r' | 'p' => true,
            // Before the first migration they are reported as tables of another engine.
            'v' | 'm' | 'f' => !migrated,
            _ => false,
        };
        let kind = match self.kind {
            'r' | 'p' => "a table of another program",
            'v' | 'm' => "a view of another program",
            'i' | 'I' => "an index",
            'S' => "a sequence",
            'c' => "a type",
            'f' => "a foreign table",
            _ => "another kind of object",
        };
        (!is_ours).then(|| format!("{} is {kind}", self.name))
    }
}

/// The names of all relations of a copy, without prefix.
fn all_names() -> impl Iterator<Item = &'static str> {
    let tables = Catalog::get().tables.iter().map(|table| table.name.as_str());
    STATE.into_iter().map(|(name, _)| name).chain(tables).chain([VIEW])
}
