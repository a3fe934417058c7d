//! Reads the tables of the other engine: their columns and keys, and everything that depends on
//! them. Takes only read locks and makes no decisions.

use deadpool_postgres::Transaction;
use tokio_postgres::types::Type;

use super::dependents::{IncomingKey, incoming_keys, other_dependents};
use super::failure::fail;
use super::transaction::{QUALIFIED_NAMES, USER_PATH};
use super::views::{self, View};
use super::{enum_order, legacy};
use crate::catalog::{Catalog, Table};
use crate::postgres::error::PostgresError;
use crate::postgres::names::Names;

/// A relation of the schema with the name of one of our tables.
pub(super) struct FoundTable {
    pub(super) table: &'static Table,
    pub(super) oid: u32,
    /// As in `pg_class.relkind`: `r` is an ordinary table.
    pub(super) kind: char,
    /// PostgreSQL's estimate; -1 if the table was never analyzed.
    pub(super) rows: i64,
    /// Including indexes and TOAST.
    pub(super) bytes: i64,
    /// It is not part of an inheritance or partition tree.
    pub(super) standalone: bool,
    /// Row security applies to its owner as well.
    pub(super) forces_row_security: bool,
    /// The user is a member of the role that owns it.
    pub(super) may_alter: bool,
    pub(super) owner: String,
    pub(super) columns: Vec<FoundColumn>,
    pub(super) constraints: Vec<Constraint>,
    /// The names of the triggers that set `updated_at`.
    pub(super) updated_at_triggers: Vec<String>,
    /// Its replica identity is the index of its primary key, named explicitly.
    pub(super) key_is_replica_identity: bool,
    /// Plain indexes on a single column: column and index.
    pub(super) plain_indexes: Vec<(String, String)>,
}

pub(super) struct FoundColumn {
    pub(super) name: String,
    /// `int4`, `text`, ... or the name of a user-defined type.
    pub(super) type_name: String,
    /// The type as SQL, with its schema.
    pub(super) type_sql: String,
    pub(super) is_enum: bool,
    pub(super) not_null: bool,
    pub(super) has_default: bool,
    pub(super) generated: bool,
}

/// A primary key, unique constraint or foreign key of a table.
pub(super) struct Constraint {
    pub(super) name: String,
    /// `p`, `u` or `f`.
    pub(super) kind: char,
    pub(super) columns: Vec<String>,
    /// The oid of the table that a foreign key refers to.
    pub(super) refers_to: u32,
}

/// Everything that was found.
pub(super) struct Survey {
    pub(super) tables: Vec<FoundTable>,
    pub(super) incoming: Vec<IncomingKey>,
    /// In the order in which they can be created.
    pub(super) views: Vec<View>,
    /// Descriptions of what depends on the tables and views and cannot be kept.
    pub(super) others: Vec<String>,
}

impl Survey {
    /// Reads the relations that have the names of our tables.
    pub(super) async fn read(
        transaction: &Transaction<'_>,
        names: &Names,
    ) -> Result<Survey, PostgresError> {
        transaction.batch_execute(QUALIFIED_NAMES).await.map_err(fail)?;
        let mut tables = Vec::new();
        for table in &Catalog::get().tables {
            if let Some(found) = find_table(transaction, names, table).await? {
                tables.push(found);
            }
        }
        let oids: Vec<u32> = tables.iter().map(|t| t.oid).collect();
        let incoming = incoming_keys(transaction, &oids).await?;
        let views = views::read(transaction, &oids).await?;
        let mut all = oids.clone();
        all.extend(views.iter().map(|v| v.oid));
        let mut others = other_dependents(transaction, &oids, &all).await?;
        others.extend(enum_order::dependent_views(transaction, &oids, &all).await?);
        transaction.batch_execute(USER_PATH).await.map_err(fail)?;
        Ok(Survey { tables, incoming, views, others })
    }
}

async fn find_table(
    transaction: &Transaction<'_>,
    names: &Names,
    table: &'static Table,
) -> Result<Option<FoundTable>, PostgresError> {
    let row = transaction
        .query_typed_opt(
            "select c.oid, c.relkind::text, c.reltuples::int8, pg_total_relation_size(c.oid),
                    not c.relispartition and not exists (
                      select 1 from pg_inherits i where c.oid in (i.inhparent, i.inhrelid)),
                    c.relforcerowsecurity, pg_has_role(c.relowner, 'USAGE'),
                    pg_get_userbyid(c.relowner)::text,
                    coalesce((select array_agg(t.tgname::text) from pg_trigger t
                      join pg_proc p on p.oid = t.tgfoid
                      where t.tgrelid = c.oid and t.tgname = $3 and p.proname = $4), '{}'),
                    exists (select 1 from pg_index x
                      where x.indrelid = c.oid and x.indisprimary and x.indisreplident)
             from pg_class c join pg_namespace n on n.oid = c.relnamespace
             where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'p', 'v', 'm', 'f')",
            &[
                (&names.schema(), Type::TEXT),
                (&names.bare(&table.name), Type::TEXT),
                (&legacy::TRIGGER.0, Type::TEXT),
                (&legacy::TRIGGER.1, Type::TEXT),
            ],
        )
        .await
        .map_err(fail)?;
    let Some(row) = row else { return Ok(None) };
    let oid: u32 = row.get(0);
    Ok(Some(FoundTable {
        table,
        oid,
        kind: first_char(row.get(1)),
        rows: row.get(2),
        bytes: row.get(3),
        standalone: row.get(4),
        forces_row_security: row.get(5),
        may_alter: row.get(6),
        owner: row.get(7),
        columns: columns(transaction, oid).await?,
        constraints: constraints(transaction, oid).await?,
        updated_at_triggers: row.get(8),
        key_is_replica_identity: row.get(9),
        plain_indexes: plain_indexes(transaction, oid).await?,
    }))
}

async fn columns(
    transaction: &Transaction<'_>,
    oid: u32,
) -> Result<Vec<FoundColumn>, PostgresError> {
    let rows = transaction
        .query_typed(
            "select a.attname::text, t.typname::text, format_type(t.oid, null), t.typtype = 'e',
                    a.attnotnull, a.atthasdef or a.attidentity <> '', a.attgenerated <> ''
             from pg_attribute a join pg_type t on t.oid = a.atttypid
             where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped order by a.attnum",
            &[(&oid, Type::OID)],
        )
        .await
        .map_err(fail)?;
    let column = |row: &tokio_postgres::Row| FoundColumn {
        name: row.get(0),
        type_name: row.get(1),
        type_sql: row.get(2),
        is_enum: row.get(3),
        not_null: row.get(4),
        has_default: row.get(5),
        generated: row.get(6),
    };
    Ok(rows.iter().map(column).collect())
}

/// Reads the keys of a table, or of the copy that a rehearsal creates.
pub(super) async fn constraints(
    transaction: &Transaction<'_>,
    oid: u32,
) -> Result<Vec<Constraint>, PostgresError> {
    let rows = transaction
        .query_typed(
            "select c.conname::text, c.contype::text, c.confrelid,
                    (select array_agg(a.attname::text order by k.place)
                     from unnest(c.conkey) with ordinality k (num, place)
                     join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.num)
             from pg_constraint c
             where c.conrelid = $1 and c.contype in ('p', 'u', 'f') order by c.conname",
            &[(&oid, Type::OID)],
        )
        .await
        .map_err(fail)?;
    let constraint = |row: &tokio_postgres::Row| Constraint {
        name: row.get(0),
        kind: first_char(row.get(1)),
        refers_to: row.get(2),
        columns: row.get(3),
    };
    Ok(rows.iter().map(constraint).collect())
}

async fn plain_indexes(
    transaction: &Transaction<'_>,
    oid: u32,
) -> Result<Vec<(String, String)>, PostgresError> {
    let rows = transaction
        .query_typed(
            "select distinct on (a.attname) a.attname::text, c.relname::text
             from pg_index i join pg_class c on c.oid = i.indexrelid
             join pg_am m on m.oid = c.relam
             join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
             where i.indrelid = $1 and i.indnatts = 1 and i.indisvalid and not i.indisunique
               and i.indpred is null and i.indexprs is null and m.amname = 'btree'
             order by a.attname, c.relname",
            &[(&oid, Type::OID)],
        )
        .await
        .map_err(fail)?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

fn first_char(text: &str) -> char {
    text.chars().next().unwrap_or(' ')
}
