//! What depends on the tables: foreign keys of other tables, and everything that cannot be kept.

use deadpool_postgres::Transaction;
use tokio_postgres::types::Type;

use super::failure::fail;
use super::legacy;
use crate::postgres::error::PostgresError;

/// A foreign key of any table that refers to one of the tables.
pub(super) struct IncomingKey {
    /// The oid of the table referred to.
    pub(super) to: u32,
    /// The oid of the table that has the key.
    pub(super) from: u32,
    /// The table that has the key, quoted.
    pub(super) from_sql: String,
    /// The table that has the key, for messages.
    pub(super) from_name: String,
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    pub(super) definition: String,
    pub(super) comment: Option<String>,
    /// Whether existing rows have been checked.
    pub(super) validated: bool,
    /// Whether the table that has the key is partitioned.
    pub(super) partitioned: bool,
}

/// Reads the foreign keys that refer to the tables.
pub(super) async fn incoming_keys(
    transaction: &Transaction<'_>,
    oids: &[u32],
) -> Result<Vec<IncomingKey>, PostgresError> {
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
    let key = |row: &tokio_postgres::Row| IncomingKey {
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

/// Everything else that depends on the relations or on their row types, as PostgreSQL describes it.
/// Functions with the row type of a table in their signature still work and are not among them.
pub(super) async fn other_dependents(
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
                (&legacy::TRIGGER.0, Type::TEXT),
                (&legacy::TRIGGER.1, Type::TEXT),
            ],
        )
        .await
        .map_err(fail)?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
