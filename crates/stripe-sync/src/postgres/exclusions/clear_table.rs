//! The statements that clear excluded values in one table, and the new values of its JSON columns.
//! Pure.

use std::collections::BTreeSet;

use serde_json::value::RawValue;
use tokio_postgres::Row;

use crate::catalog::{Column, Exclusions, JsonKind, SqlType, Step, Table};
use crate::postgres::names::{Names, literal, quote};
use crate::row::{fields, key_is, redact};

/// A column with JSON in which values may have to be removed.
struct JsonColumn<'t> {
    name: &'t str,
    jsonb: bool,
    /// SQL: whether the value has to be examined.
    condition: String,
}

/// How one table is cleared.
pub(super) struct ClearStatements<'t> {
    pub(super) table: &'t Table,
    exclusions: &'t Exclusions,
    /// The qualified name of the table.
    qualified: String,
    /// Columns that become null, quoted.
    nulls: Vec<String>,
    json: Vec<JsonColumn<'t>>,
}

impl<'t> ClearStatements<'t> {
    pub(super) fn new(
        table: &'t Table,
        names: &Names,
        exclusions: &'t Exclusions,
    ) -> ClearStatements<'t> {
        let becomes_null =
            |c: &&Column| exclusions.has(&table.name, &c.name) || exclusions.affects(table, c);
        let nulls: Vec<String> =
            table.columns.iter().filter(becomes_null).map(|c| quote(&c.name)).collect();
        let (mut inner, mut whole) = (BTreeSet::new(), BTreeSet::new());
        for path in exclusions.of_table(&table.name) {
            match path.as_slice() {
                [Step::Key(key)] => whole.insert(key.as_str()),
                [Step::Key(key), ..] => inner.insert(key.as_str()),
                _ => false,
            };
        }
        let types: Vec<String> =
            exclusions.objects().map(|object| literal(&format!("\"{object}\""))).collect();
        let mentions = |column: &str| {
            let each = types.iter().map(|t| format!("position({t} in t.{column}::text) > 0"));
            each.chain(["false".to_owned()]).collect::<Vec<_>>().join(" or ")
        };
        let json = table.columns.iter().filter(|c| !becomes_null(c)).filter_map(|c| {
            let jsonb = c.sql == SqlType::Jsonb;
            let condition = match inner.contains(c.name.as_str()) {
                true => format!("t.{} is not null", quote(&c.name)),
                false => mentions(&quote(&c.name)),
            };
            let holds_json = jsonb || (c.sql == SqlType::Text && c.json == JsonKind::Json);
            holds_json.then(|| JsonColumn { name: &c.name, jsonb, condition })
        });
        let mut json: Vec<JsonColumn<'t>> = json.collect();
        // `_extra` holds values that do not fit their column and properties without a column.
        let keys: Vec<String> = inner.iter().chain(&whole).map(|key| literal(key)).collect();
        let mut condition = mentions("_extra");
        if !keys.is_empty() {
            condition = format!("t._extra ?| array[{}] or {condition}", keys.join(", "));
        }
        json.push(JsonColumn { name: "_extra", jsonb: true, condition });
        ClearStatements { table, exclusions, qualified: names.table(&table.name), nulls, json }
    }

    /// The last key of a chunk of rows after the key ($1, $2).
    pub(super) fn last_key(&self, rows: usize) -> String {
        format!(
            "select id, _account_id from {} where (id, _account_id) > ($1, $2)
             order by id, _account_id offset {} limit 1",
            self.qualified,
            rows - 1
        )
    }

    /// The rows after the key ($1, $2), up to the key ($3, $4) if `bounded`, that may have to
    /// change: the key, whether a column becomes null, and the JSON columns to examine.
    pub(super) fn select(&self, bounded: bool) -> String {
        let upper = if bounded { " and (t.id, t._account_id) <= ($3, $4)" } else { "" };
        let nulls = self.nulls.iter().map(|c| format!("t.{c} is not null"));
        let nulls = nulls.chain(["false".to_owned()]).collect::<Vec<_>>().join(" or ");
        let json = self
            .json
            .iter()
            .map(|c| format!("case when {} then t.{}::text end", c.condition, quote(c.name)));
        let any = self.json.iter().map(|c| c.condition.clone()).chain([nulls.clone()]);
        format!(
            "select t.id, t._account_id, {nulls}, {} from {} t
             where (t.id, t._account_id) > ($1, $2){upper} and ({})
             order by t.id, t._account_id for update",
            json.collect::<Vec<_>>().join(", "),
            self.qualified,
            any.collect::<Vec<_>>().join(" or "),
        )
    }

    /// Writes the rows of a [`Cleared`], whose fields are the parameters.
    pub(super) fn update(&self) -> String {
        let nulls = self.nulls.iter().map(|c| format!("{c} = null"));
        let json = self.json.iter().enumerate().map(|(i, column)| {
            let name = quote(column.name);
            // SQL null: the column does not change. JSON null: no part of it is left.
            let new = match column.jsonb {
                true => format!("nullif(e.p{i}::jsonb, 'null'::jsonb)"),
                false => format!("e.p{i}"),
            };
            format!("{name} = case when e.p{i} is null then t.{name} else {new} end")
        });
        let set: Vec<String> = nulls.chain(json).chain(["updated_at = now()".to_owned()]).collect();
        let numbers = 0..self.json.len();
        let arrays: Vec<String> = numbers.clone().map(|i| format!("${}::text[]", i + 3)).collect();
        let columns: Vec<String> = numbers.map(|i| format!("p{i}")).collect();
        format!(
            "update {} t set {} from unnest($1::text[], $2::text[], {}) e(id, account, {})
             where t.id = e.id and t._account_id = e.account",
            self.qualified,
            set.join(", "),
            arrays.join(", "),
            columns.join(", "),
        )
    }

    /// The JSON of a column with the excluded values removed; `None` if it contains none.
    fn redacted(&self, column: &JsonColumn<'_>, raw: &str) -> Option<String> {
        // A text column can hold any text. Only JSON can hold an object.
        serde_json::from_str::<&RawValue>(raw).ok()?;
        if column.name == "_extra" {
            let redacted = redact(raw, &self.table.name, self.exclusions);
            let is_excluded = |key: &str| {
                let paths = self.exclusions.of_table(&self.table.name);
                paths.iter().any(|p| matches!(p.as_slice(), [Step::Key(k)] if key_is(key, k)))
            };
            if redacted == raw && !fields(raw).any(|(key, _)| is_excluded(key)) {
                return None;
            }
            let kept: Vec<String> = fields(&redacted)
                .filter(|(key, _)| !is_excluded(key))
                .map(|(key, value)| format!("\"{key}\":{value}"))
                .collect();
            return Some(if kept.is_empty() {
                "null".into()
            } else {
                format!("{{{}}}", kept.join(","))
            });
        }
        // The value is wrapped in an object, because paths start at the top of an object.
        let object = format!("{{\"{}\":{raw}}}", column.name);
        match redact(&object, &self.table.name, self.exclusions) {
            redacted if redacted == object => None,
            redacted => fields(&redacted).next().map(|(_, value)| value.to_owned()),
        }
    }
}

/// The rows of one chunk that change.
pub(super) struct Cleared {
    pub(super) ids: Vec<String>,
    pub(super) accounts: Vec<String>,
    /// For each JSON column its new values; `None` where it does not change.
    pub(super) json: Vec<Vec<Option<String>>>,
}

impl Cleared {
    pub(super) fn new(statements: &ClearStatements<'_>) -> Cleared {
        let json = vec![Vec::new(); statements.json.len()];
        Cleared { ids: Vec::new(), accounts: Vec::new(), json }
    }

    /// Adds a row of [`ClearStatements::select`] if it changes.
    pub(super) fn add(&mut self, statements: &ClearStatements<'_>, row: &Row) {
        let becomes_null: bool = row.get(2);
        let columns = statements.json.iter().enumerate();
        let new: Vec<Option<String>> = columns
            .map(|(i, column)| {
                let stored: Option<&str> = row.get(i + 3);
                statements.redacted(column, stored?)
            })
            .collect();
        if becomes_null || new.iter().any(Option::is_some) {
            self.ids.push(row.get(0));
            self.accounts.push(row.get(1));
            self.json.iter_mut().zip(new).for_each(|(column, text)| column.push(text));
        }
    }
}
