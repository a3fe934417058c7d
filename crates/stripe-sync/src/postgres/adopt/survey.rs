//! Reads what stands in the schema: tables, columns, keys, and everything that depends on them.
//! Takes no locks beyond those of reading, and judges nothing.

use deadpool_postgres::Transaction;
use tokio_postgres::types::Type;

use super::takeover::fail;
use super::views::View;
use crate::catalog::{Catalog, Table};
use crate::postgres::error::PostgresError;
use crate::postgres::names::Names;

/// Under this path everything that PostgreSQL spells out has its schema.
pub(super) const SPELLED: &str = "set local search_path = pg_catalog";
/// The path that the functions in the users' indexes and checks may count on.
pub(super) const THEIR_PATH: &str = "set local search_path to default";

/// One relation of the schema that has the name of one of our tables.
pub(super) struct Found {
    pub(super) table: &'static Table,
    pub(super) oid: u32,
    /// `r` for an ordinary table.
    pub(super) kind: char,
    /// About how many; -1 if it was never analyzed.
    pub(super) rows: i64,
    /// With its indexes and long values.
    pub(super) bytes: i64,
    /// Neither a partition, nor a parent, nor a child of another table.
    pub(super) alone: bool,
    /// Row security also for its owner.
    pub(super) forced_security: bool,
    /// Whether we may alter it, and whose it is.
    pub(super) may_alter: bool,
    pub(super) owner: String,
    pub(super) columns: Vec<FoundColumn>,
    pub(super) constraints: Vec<Constraint>,
    /// The names of the triggers that keep `updated_at`.
    pub(super) touch_triggers: Vec<String>,
    /// Its replica identity is the index of its primary key, by name.
    pub(super) identified_by_key: bool,
    /// Plain indexes of one column: column, index.
    pub(super) plain_indexes: Vec<(String, String)>,
}

pub(super) struct FoundColumn {
    pub(super) name: String,
    /// `int4`, `text`, ... or the name of a type of theirs.
    pub(super) type_name: String,
    /// The type as SQL with its schema.
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
    /// Of a foreign key: the oid of the table it refers to.
    pub(super) refers_to: u32,
}

/// A foreign key of any table to one of theirs.
pub(super) struct Incoming {
    /// Of the table referred to.
    pub(super) to: u32,
    pub(super) from: u32,
    /// The table that has it, quoted.
    pub(super) from_sql: String,
    /// The same for people.
    pub(super) from_name: String,
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    pub(super) definition: String,
    pub(super) comment: Option<String>,
    /// Whether the rows that are there were checked.
    pub(super) validated: bool,
    /// Whether the table that has it is partitioned.
    pub(super) partitioned: bool,
}

/// All that was found.
pub(super) struct Survey {
    pub(super) tables: Vec<Found>,
    pub(super) incoming: Vec<Incoming>,
    /// In the order in which they can be made.
    pub(super) views: Vec<View>,
    /// What depends on tables and views and is none of the above, as PostgreSQL calls it.
    pub(super) others: Vec<String>,
}

impl Survey {
    /// Looks at the relations that carry names of our tables.
    pub(super) async fn read(
        transaction: &Transaction<'_>,
        names: &Names,
    ) -> Result<Survey, PostgresError> {
        transaction.batch_execute(SPELLED).await.map_err(fail)?;
        let mut tables = Vec::new();
        for table in &Catalog::get().tables {
            if let Some(found) = relation(transaction, names, table).await? {
                tables.push(found);
            }
        }
        let oids: Vec<u32> = tables.iter().map(|t| t.oid).collect();
        let incoming = incoming(transaction, &oids).await?;
        let views = super::views::read(transaction, &oids).await?;
        let mut all = oids.clone();
        all.extend(views.iter().map(|v| v.oid));
        let mut others = others(transaction, &oids, &all).await?;
        others.extend(super::enum_order::views_relying_on_it(transaction, &oids, &all).await?);
        transaction.batch_execute(THEIR_PATH).await.map_err(fail)?;
        Ok(Survey { tables, incoming, views, others })
    }
}

async fn relation(
    transaction: &Transaction<'_>,
    names: &Names,
    table: &'static Table,
) -> Result<Option<Found>, PostgresError> {
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
                (&super::THEIR_TRIGGER.0, Type::TEXT),
                (&super::THEIR_TRIGGER.1, Type::TEXT),
            ],
        )
        .await
        .map_err(fail)?;
    let Some(row) = row else { return Ok(None) };
    let oid: u32 = row.get(0);
    Ok(Some(Found {
        table,
        oid,
        kind: first_char(row.get(1)),
        rows: row.get(2),
        bytes: row.get(3),
        alone: row.get(4),
        forced_security: row.get(5),
        may_alter: row.get(6),
        owner: row.get(7),
        columns: columns(transaction, oid).await?,
        constraints: constraints(transaction, oid).await?,
        touch_triggers: row.get(8),
        identified_by_key: row.get(9),
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

/// The keys of a table, also of the copy that a rehearsal makes.
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

async fn incoming(
    transaction: &Transaction<'_>,
    oids: &[u32],
) -> Result<Vec<Incoming>, PostgresError> {
    let rows = transaction
        .query_typed(
            "select f.confrelid, f.conrelid, f.conrelid::regclass::text,
                    n.nspname::text || '.' || c.relname::text, f.conname::text,
                    (select array_agg(a.attname::text order by k.place)
                     from unnest(f.confkey) with ordinality k (num, place)
                     join pg_attribute a on a.attrelid = f.confrelid and a.attnum = k.num),
                    pg_get_constraintdef(f.oid), obj_description(f.oid, 'pg_constraint'),
                    f.convalidated, c.relkind = 'p'
             from pg_constraint f
             join pg_class c on c.oid = f.conrelid join pg_namespace n on n.oid = c.relnamespace
             where f.contype = 'f' and f.conparentid = 0 and f.confrelid = any($1)
             order by 4, 5",
            &[(&oids, Type::OID_ARRAY)],
        )
        .await
        .map_err(fail)?;
    let key = |row: &tokio_postgres::Row| Incoming {
        to: row.get(0),
        from: row.get(1),
        from_sql: row.get(2),
        from_name: row.get(3),
        name: row.get(4),
        columns: row.get(5),
        definition: row.get(6),
        comment: row.get(7),
        validated: row.get(8),
        partitioned: row.get(9),
    };
    Ok(rows.iter().map(key).collect())
}

/// Whatever else PostgreSQL knows to depend on the relations or on their row types. Functions
/// with the row type of a table in their signature go on working and are not among them.
async fn others(
    transaction: &Transaction<'_>,
    tables: &[u32],
    relations: &[u32],
) -> Result<Vec<String>, PostgresError> {
    let rows = transaction
        .query_typed(
            "with dependent as (
               select d.classid, d.objid, d.objsubid, d.refobjid as relation, false as by_type
               from pg_depend d
               where d.refclassid = 'pg_class'::regclass and d.refobjid = any($2)
               union
               select d.classid, d.objid, d.objsubid, t.typrelid, true
               from pg_type t join pg_type u on u.oid = t.oid or u.oid = t.typarray
               join pg_depend d on d.refclassid = 'pg_type'::regclass and d.refobjid = u.oid
               where t.typrelid = any($2)
             )
             select distinct case
                 when w.rulename = '_RETURN' then pg_describe_object('pg_class'::regclass, w.ev_class, 0)
                 else pg_describe_object(d.classid, d.objid, d.objsubid) end
             from dependent d
             left join pg_class c on d.classid = 'pg_class'::regclass and c.oid = d.objid
             left join pg_rewrite w on d.classid = 'pg_rewrite'::regclass and w.oid = d.objid
             left join pg_trigger g on d.classid = 'pg_trigger'::regclass and g.oid = d.objid
             left join pg_proc p on p.oid = g.tgfoid
             left join pg_publication_rel b
               on d.classid = 'pg_publication_rel'::regclass and b.oid = d.objid
             where not case
                 when c.oid is not null
                   then c.relkind in ('i', 't', 'S') or (not d.by_type and c.oid = d.relation)
                 when w.oid is not null then w.rulename = '_RETURN' and w.ev_class = any($2)
                 when g.oid is not null then g.tgisinternal or (d.relation = any($1)
                   and g.tgname = $3 and p.proname = $4 and g.tgqual is null and g.tgattr::text = '')
                 when b.oid is not null
                   then to_jsonb(b) ->> 'prqual' is null and to_jsonb(b) ->> 'prattrs' is null
                 when d.classid = 'pg_attrdef'::regclass then d.relation = any($1)
                 when d.classid = 'pg_constraint'::regclass then true
                 when d.classid = 'pg_type'::regclass then true
                 when d.classid = 'pg_statistic_ext'::regclass then true
                 when d.classid = 'pg_proc'::regclass then d.by_type and d.relation = any($1)
                 else false end
             order by 1",
            &[
                (&tables, Type::OID_ARRAY),
                (&relations, Type::OID_ARRAY),
                (&super::THEIR_TRIGGER.0, Type::TEXT),
                (&super::THEIR_TRIGGER.1, Type::TEXT),
            ],
        )
        .await
        .map_err(fail)?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

fn first_char(text: &str) -> char {
    text.chars().next().unwrap_or(' ')
}
