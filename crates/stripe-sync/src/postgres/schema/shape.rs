//! Whether the relations of a schema are those that a migration makes: each of its kind, with its
//! columns and its key. Users drop and rename things, and other programs use the same names.
//!
//! Types are not compared: a column of another type takes what it takes, and what it refuses is
//! set aside with its reason.

use deadpool_postgres::Transaction;
use tokio_postgres::types::Type;

use crate::catalog::Catalog;
use crate::postgres::names::Names;

/// Engine tables that a backfill writes beside those of the catalog, each with a column by which it
/// is known.
pub(in crate::postgres) const STATE: [(&str, &str); 7] = [
    ("_migrations", "catalog_version"),
    ("_meta", "value"),
    ("_runs", "identity"),
    ("_streams", "run_id"),
    ("_slices", "epoch"),
    ("_tombstones", "deleted_at"),
    ("_quarantine", "reason"),
];
const VIEW: &str = "sync_status";
/// Beside the catalog's columns in every table of rows.
const SYSTEM: [&str; 4] = ["_account_id", "_extra", "last_synced_at", "updated_at"];

/// What has the names of our relations.
pub(in crate::postgres) struct Shape(Vec<Relation>);

struct Relation {
    /// As we call it, without prefix.
    name: &'static str,
    /// As in `pg_class.relkind`.
    kind: char,
    columns: Vec<String>,
    /// A unique index on id and account, which every upsert names.
    keyed: bool,
    /// Row-level security applies to this user, and no policy lets anything pass.
    shut: bool,
}

/// Reads it; takes no locks.
pub(in crate::postgres) async fn read(
    transaction: &Transaction<'_>,
    names: &Names,
) -> Result<Shape, tokio_postgres::Error> {
    let ours: Vec<(&'static str, String)> = ours().map(|name| (name, names.bare(name))).collect();
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
            keyed: row.get(3),
            shut: row.get(4),
        })
    };
    Ok(Shape(rows.iter().filter_map(relation).collect()))
}

impl Shape {
    /// Whether our own record of migrations is there.
    pub(in crate::postgres) fn is_migrated(&self) -> bool {
        self.find("_migrations").is_some_and(Relation::is_state_of_ours)
    }

    /// Whether nothing is missing that a migration would make.
    pub(in crate::postgres) fn is_whole(&self) -> bool {
        self.find(VIEW).is_some()
            && self.find("_slices").is_some_and(|slices| slices.has("cursor_created"))
            && STATE.iter().all(|(name, _)| self.find(name).is_some())
            && Catalog::get().tables.iter().all(|table| {
                let mut columns = table.columns.iter().map(|c| c.name.as_str()).chain(SYSTEM);
                self.find(&table.name).is_some_and(|r| columns.all(|column| r.has(column)))
            })
    }

    /// What only its owner can put right, for people: names that other things have, keys that are
    /// gone.
    pub(in crate::postgres) fn obstacles(&self) -> Vec<String> {
        let migrated = self.is_migrated();
        let obstacle = |relation: &Relation| relation.obstacle(migrated);
        let mut obstacles: Vec<String> = self.0.iter().filter_map(obstacle).collect();
        if migrated && self.find("_meta").is_none() {
            obstacles
                .push("_meta is gone, which knew the mode and the columns left out".to_owned());
        }
        obstacles.sort();
        obstacles
    }

    /// Tables of rows that lack a column, in the catalog's order.
    pub(in crate::postgres) fn without(&self, column: &str) -> Vec<String> {
        let tables = Catalog::get().tables.iter().map(|table| table.name.as_str());
        let lacks = |name: &&str| self.find(name).is_some_and(|r| !r.has(column));
        tables.filter(lacks).map(str::to_owned).collect()
    }

    /// Tables behind row-level security without any policy.
    pub(in crate::postgres) fn shut(&self) -> Vec<String> {
        self.0.iter().filter(|r| r.shut).map(|r| r.name.to_owned()).collect()
    }

    fn find(&self, name: &str) -> Option<&Relation> {
        self.0.iter().find(|relation| relation.name == name)
    }
}

impl Relation {
    fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|c| c == column)
    }

    fn is_of_rows(&self) -> bool {
        Catalog::get().table(self.name).is_some()
    }

    fn is_state_of_ours(&self) -> bool {
        let column = STATE.iter().find(|(name, _)| *name == self.name).map(|(_, column)| column);
        self.kind == 'r' && column.is_some_and(|column| self.has(column))
    }

    fn obstacle(&self, migrated: bool) -> Option<String> {
        let is_right = match self.kind {
            kind if self.name == VIEW => kind == 'v',
            _ if !self.is_of_rows() => self.is_state_of_ours(),
            'r' | 'p' if migrated && !self.keyed => {
                return Some(format!("{} has lost its primary key (id, _account_id)", self.name));
            }
            'r' | 'p' => true,
            // Those of another engine are told of elsewhere.
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
            _ => "another thing",
        };
        (!is_right).then(|| format!("{} is {kind}", self.name))
    }
}

/// Every relation that a copy has.
fn ours() -> impl Iterator<Item = &'static str> {
    let tables = Catalog::get().tables.iter().map(|table| table.name.as_str());
    STATE.into_iter().map(|(name, _)| name).chain(tables).chain([VIEW])
}
