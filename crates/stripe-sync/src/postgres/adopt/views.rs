//! Views over the tables: what is kept of each view, and the SQL that recreates it.

use deadpool_postgres::Transaction;
use tokio_postgres::types::Type;

use super::failure::fail;
use crate::postgres::error::PostgresError;
use crate::postgres::names::literal;

/// A view that depends on one of the tables, directly or through another view.
pub(super) struct View {
    pub(super) oid: u32,
    /// Unquoted, for messages.
    pub(super) name: String,
    pub(super) sql_name: String,
    pub(super) definition: String,
    /// The tables that it depends on, at any depth.
    pub(super) tables: Vec<u32>,
    /// Statements after `create view` that restore the owner and comments.
    afterwards: Vec<String>,
    /// `with (...)`, or nothing.
    options: String,
    /// `grant` statements, executed after default privileges have been revoked.
    grants: Vec<String>,
}

/// Reads the views that depend on the tables, in the order in which they can be created.
pub(super) async fn read(
    transaction: &Transaction<'_>,
    tables: &[u32],
) -> Result<Vec<View>, PostgresError> {
    let rows = transaction
        .query_typed(
            "with recursive shown (view, relation, depth) as (
               select w.ev_class, d.refobjid, 1
               from pg_depend d join pg_rewrite w
                 on d.classid = 'pg_rewrite'::regclass and w.oid = d.objid
               join pg_class c on c.oid = w.ev_class and c.relkind = 'v'
               where d.refclassid = 'pg_class'::regclass and d.refobjid = any($1)
               union
               select w.ev_class, s.relation, s.depth + 1
               from shown s join pg_depend d
                 on d.refclassid = 'pg_class'::regclass and d.refobjid = s.view
               join pg_rewrite w on d.classid = 'pg_rewrite'::regclass and w.oid = d.objid
               join pg_class c on c.oid = w.ev_class and c.relkind = 'v' and c.oid <> s.view
             )
             select c.oid, n.nspname::text || '.' || c.relname::text, c.oid::regclass::text,
                    pg_get_viewdef(c.oid), array_agg(distinct s.relation),
                    pg_get_userbyid(c.relowner)::text = current_user::text,
                    quote_ident(pg_get_userbyid(c.relowner)::text),
                    coalesce(array_to_string(c.reloptions, ', '), '')
             from shown s join pg_class c on c.oid = s.view
             join pg_namespace n on n.oid = c.relnamespace
             group by c.oid, n.nspname order by max(s.depth), 2",
            &[(&tables, Type::OID_ARRAY)],
        )
        .await
        .map_err(fail)?;
    let mut views = Vec::with_capacity(rows.len());
    for row in &rows {
        let (oid, sql_name): (u32, String) = (row.get(0), row.get(2));
        let mut afterwards = Vec::new();
        if !row.get::<_, bool>(5) {
            afterwards.push(format!("alter view {sql_name} owner to {};\n", row.get::<_, &str>(6)));
        }
        afterwards.extend(comments(transaction, oid, &sql_name).await?);
        let options: String = row.get(7);
        views.push(View {
            oid,
            name: row.get(1),
            definition: row.get(3),
            tables: row.get(4),
            afterwards,
            options: if options.is_empty() { options } else { format!(" with ({options})") },
            grants: grants(transaction, oid, &sql_name).await?,
            sql_name,
        });
    }
    Ok(views)
}

async fn comments(
    transaction: &Transaction<'_>,
    oid: u32,
    sql_name: &str,
) -> Result<Vec<String>, PostgresError> {
    let rows = transaction
        .query_typed(
            "select quote_ident(a.attname::text), d.description from pg_description d
             left join pg_attribute a on a.attrelid = d.objoid and a.attnum = d.objsubid
               and d.objsubid > 0
             where d.classoid = 'pg_class'::regclass and d.objoid = $1",
            &[(&oid, Type::OID)],
        )
        .await
        .map_err(fail)?;
    let comment = |row: &tokio_postgres::Row| {
        let text = literal(row.get(1));
        match row.get::<_, Option<&str>>(0) {
            Some(column) => format!("comment on column {sql_name}.{column} is {text};\n"),
            None => format!("comment on view {sql_name} is {text};\n"),
        }
    };
    Ok(rows.iter().map(comment).collect())
}

async fn grants(
    transaction: &Transaction<'_>,
    oid: u32,
    sql_name: &str,
) -> Result<Vec<String>, PostgresError> {
    let rows = transaction
        .query_typed(
            "with acl as (
               select null::text as attname, relacl as acl, relowner as owner
               from pg_class where oid = $1
               union all
               select quote_ident(a.attname::text), a.attacl, c.relowner from pg_attribute a
               join pg_class c on c.oid = a.attrelid
               where a.attrelid = $1 and a.attacl is not null)
             select acl.attname, e.privilege_type,
                    case e.grantee when 0 then 'public'
                      else quote_ident(pg_get_userbyid(e.grantee)::text) end, e.is_grantable
             from acl, aclexplode(acl.acl) e where e.grantee <> acl.owner",
            &[(&oid, Type::OID)],
        )
        .await
        .map_err(fail)?;
    let grant = |row: &tokio_postgres::Row| {
        let (column, privilege): (Option<&str>, &str) = (row.get(0), row.get(1));
        let column = column.map_or(String::new(), |c| format!(" ({c})"));
        let option = if row.get(3) { " with grant option" } else { "" };
        let grantee: &str = row.get(2);
        format!("grant {privilege}{column} on {sql_name} to {grantee}{option};\n")
    };
    Ok(rows.iter().map(grant).collect())
}

impl View {
    pub(super) fn drop_sql(&self) -> String {
        format!("drop view {};\n", self.sql_name)
    }

    /// Recreates the view with its owner, options, comments and grants, and without what default
    /// privileges add. Types that have become text are text in the view as well.
    pub(super) fn create_sql(&self, became_text: &[String]) -> String {
        let mut definition = self.definition.clone();
        for type_sql in became_text {
            definition = cast_to_text(&definition, type_sql);
        }
        let name = &self.sql_name;
        let mut sql = format!("create view {name}{} as {definition}\n", self.options);
        sql.push_str(&format!(
            "do $revoke$ declare grantee text; begin
  for grantee in
    select distinct case e.grantee when 0 then 'public'
      else quote_ident(pg_get_userbyid(e.grantee)::text) end
    from pg_class c, aclexplode(c.relacl) e
    where c.oid = {literal}::regclass and e.grantee <> c.relowner
  loop execute 'revoke all on ' || {literal} || ' from ' || grantee; end loop;
end $revoke$;\n",
            literal = literal(name),
        ));
        sql.extend(self.grants.iter().map(String::as_str));
        sql.extend(self.afterwards.iter().map(String::as_str));
        sql
    }
}

/// Replaces casts to a type by casts to text, except inside quotes.
fn cast_to_text(sql: &str, type_sql: &str) -> String {
    let cast = format!("::{type_sql}");
    let mut out = String::with_capacity(sql.len());
    let mut quoted: Option<char> = None;
    let mut rest = sql;
    while let Some(next) = rest.chars().next() {
        let is_part_of_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '"');
        if quoted.is_none()
            && let Some(after) = rest.strip_prefix(&cast)
            && !after.chars().next().is_some_and(is_part_of_name)
        {
            out.push_str("::text");
            rest = after;
            continue;
        }
        match quoted {
            Some(mark) if mark == next => quoted = None,
            None if matches!(next, '\'' | '"') => quoted = Some(next),
            _ => {}
        }
        out.push(next);
        rest = &rest[next.len_utf8()..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn casts_of_an_enum_become_text_outside_of_quotes() {
        let sql = "select '::s.status' || a::s.status || b::s.status[] || c::s.status_x \
                   from t where d = 'x'::s.status)";
        assert_eq!(
            cast_to_text(sql, "s.status"),
            "select '::s.status' || a::text || b::text[] || c::s.status_x \
             from t where d = 'x'::text)"
        );
        let odd = "select a = 'it''s'::\"My \"\"S\"\"\".\"Kind\", '\\'::\"My \"\"S\"\"\".\"Kind\"";
        assert_eq!(
            cast_to_text(odd, "\"My \"\"S\"\"\".\"Kind\""),
            "select a = 'it''s'::text, '\\'::text"
        );
    }
}
