//! The statement that writes the comments of a schema. Pure.

use crate::catalog::Catalog;
use crate::postgres::names::{Names, literal};
use crate::postgres::schema::comments::{self, Comment, FORMER};

/// Adds the comments that are missing, and replaces those that an earlier version wrote. Comments
/// that users wrote are kept.
pub(super) fn write(catalog: &'static Catalog, names: &Names) -> String {
    let array = |texts: &[String]| {
        let texts: Vec<String> = texts.iter().map(|text| literal(text)).collect();
        format!("array[{}]::text[]", texts.join(", "))
    };
    let nullable = |text: Option<&str>| text.map_or("null".to_owned(), literal);
    let value = |comment: &Comment| {
        format!(
            "({}, {}, {}, {}, {})",
            literal(&comment.relation),
            nullable(comment.column),
            literal(&comment.text),
            array(&comment.former),
            nullable(comment.former_start.as_deref()),
        )
    };
    let values: Vec<String> = comments::all(catalog, names).iter().map(value).collect();
    format!(
        "do $stripe_sync$ declare c record; begin
for c in
  select r.relkind, r.relname, a.attname, n.nspname, v.comment
  from (values\n{values}
  ) v (relation, attribute, comment, former, former_start)
  join pg_catalog.pg_namespace n on n.nspname = {schema}
  join pg_catalog.pg_class r on r.relnamespace = n.oid and r.relname = v.relation
    and r.relkind in ('r', 'p', 'v')
  left join pg_catalog.pg_attribute a on a.attrelid = r.oid and a.attname = v.attribute
    and not a.attisdropped
  left join pg_catalog.pg_description d on d.classoid = 'pg_catalog.pg_class'::regclass
    and d.objoid = r.oid and d.objsubid = coalesce(a.attnum, 0)
  where (v.attribute is null or a.attname is not null)
    and (d.description is null or d.description <> v.comment
      and (d.description = any({former}) or d.description = any(v.former)
        or starts_with(d.description, v.former_start)))
loop
  execute case
    when c.attname is not null then format('comment on column %I.%I.%I is %L',
      c.nspname, c.relname, c.attname, c.comment)
    when c.relkind = 'v' then format('comment on view %I.%I is %L', c.nspname, c.relname, c.comment)
    else format('comment on table %I.%I is %L', c.nspname, c.relname, c.comment)
  end;
end loop;
end $stripe_sync$;
",
        values = values.join(",\n"),
        schema = literal(names.schema()),
        former = array(&FORMER.map(str::to_owned)),
    )
}
