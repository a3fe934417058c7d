//! Finds views that rely on the order of an enum. The column becomes text, which is ordered
//! alphabetically, so such a view would still work but return different rows.

use deadpool_postgres::Transaction;
use tokio_postgres::types::Type;

use super::failure::fail;
use crate::postgres::error::PostgresError;

/// Describes the views among the relations that compare or sort by an enum of the tables. A view
/// with only an `order by` is not among them, because it returns the same rows.
///
/// The parsed form of a view is searched for `<`, `>`, `<=`, `>=`, `min`, `max`, `greatest` and
/// `least` on a value of the enum's type, and for sorting that decides what is shown (windows,
/// aggregates, `distinct on`, `limit`). In the parsed form, the operators of all enums are the
/// same.
pub(super) async fn dependent_views(
    transaction: &Transaction<'_>,
    tables: &[u32],
    relations: &[u32],
) -> Result<Vec<String>, PostgresError> {
    let rows = transaction
        .query_typed(
            "with enum (types) as (
               select string_agg(distinct a.atttypid::text, '|')
               from pg_attribute a join pg_type t on t.oid = a.atttypid and t.typtype = 'e'
               where a.attrelid = any($1) and a.attnum > 0 and not a.attisdropped),
             spelled (compare, extreme, sort) as (
               select (select string_agg(oid::text, '|') from pg_operator
                       where oprleft = 'anyenum'::regtype and oprname in ('<', '>', '<=', '>=')),
                      (select string_agg(oid::text, '|') from pg_proc
                       where proargtypes[0] = 'anyenum'::regtype and proname in ('min', 'max')),
                      (select string_agg(oid::text, '|') from pg_operator
                       where oprleft = 'anyenum'::regtype and oprname in ('<', '>'))),
             shown as (
               select ev_class, ev_action::text as tree from pg_rewrite
               where ev_class = any($2) and rulename = '_RETURN')
             select pg_describe_object('pg_class'::regclass, ev_class, 0)
             from shown, enum, spelled
             where tree ~ (':opno (' || compare
                     || ') [^{]*:args \\(\\{[A-Z]+ [^{}]*type (' || types || ') ')
                or tree ~ (':(aggfnoid|winfnoid) (' || extreme
                     || ') :(aggtype|wintype) (' || types || ') ')
                or tree ~ ('\\{MINMAXEXPR :minmaxtype (' || types || ') ')
                or tree ~ (':(orderClause|aggorder) \\([^)]*:sortop (' || sort || ') ')
                or (tree ~ (':sortClause \\([^)]*:sortop (' || sort || ') ')
                    and (tree ~ ':hasDistinctOn true' or tree ~ ':limit(Count|Offset) \\{'))
             order by 1",
            &[(&tables, Type::OID_ARRAY), (&relations, Type::OID_ARRAY)],
        )
        .await
        .map_err(fail)?;
    let name = |row: &tokio_postgres::Row| {
        format!("{} relies on the order of an enum that becomes text", row.get::<_, &str>(0))
    };
    Ok(rows.iter().map(name).collect())
}
