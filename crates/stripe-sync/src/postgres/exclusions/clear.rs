//! Takes what has been left out from then on also out of the rows that are stored already.
//!
//! Goes through each table by its key, in short transactions of their own: rows are set, none is
//! removed, nobody waits long, and a clearing that was interrupted can be done again from the
//! start. Values stay in dead row versions, in statistics and in WAL until the server's own
//! vacuum and recycling.

use std::collections::BTreeSet;

use serde_json::value::RawValue;
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use crate::catalog::{Catalog, Exclusions, JsonKind, SqlType, Step, Table};
use crate::postgres::connection::pool::RetryBudget;
use crate::postgres::connection::pool::begin;
use crate::postgres::names::{literal, quote};
use crate::postgres::{Database, Names, PostgresError};
use crate::row::{fields, key_is, redact};

/// Rows of one transaction. Objects can be large.
const CHUNK: usize = 200;

type Param<'a> = (&'a (dyn ToSql + Sync), Type);

impl Database {
    /// Clears all tables and the quarantine; how many rows have changed.
    pub(crate) async fn clear(
        &self,
        names: &Names,
        left_out: &Exclusions,
    ) -> Result<u64, PostgresError> {
        let mut cleared = self.clear_quarantine(names, left_out).await?;
        for table in &Catalog::get().tables {
            let rows = Clearing::new(table, names, left_out).run(self).await?;
            if rows > 0 {
                tracing::info!(table = table.name, rows, "cleared what is left out");
            }
            cleared += rows;
        }
        Ok(cleared)
    }

    async fn clear_quarantine(
        &self,
        names: &Names,
        left_out: &Exclusions,
    ) -> Result<u64, PostgresError> {
        let fail = |e: tokio_postgres::Error| PostgresError::new("cannot clear the quarantine", &e);
        let quarantine = names.table("_quarantine");
        let key = "(table_name, account_id, id)";
        let read = format!(
            "select table_name, account_id, id, object from {quarantine}
             where {key} > ($1, $2, $3) order by {key} limit {CHUNK}"
        );
        // What has been set aside anew in the meantime was written without it.
        let write = format!(
            "update {quarantine} set object = $5
             where table_name = $1 and account_id = $2 and id = $3 and object = $4"
        );
        let client = self.get().await?;
        let mut last = [String::new(), String::new(), String::new()];
        let mut cleared = 0;
        loop {
            let params: Vec<Param<'_>> = last.iter().map(|t| (t as _, Type::TEXT)).collect();
            let rows = client.query_typed(&read, &params).await.map_err(fail)?;
            for row in &rows {
                let [table, account, id, object]: [&str; 4] = [0, 1, 2, 3].map(|i| row.get(i));
                let kept = redact(object, table, left_out);
                if kept != object {
                    let kept = kept.as_ref();
                    let params =
                        [&table, &account, &id, &object, &kept].map(|t| (t as _, Type::TEXT));
                    cleared += client.execute_typed(&write, &params).await.map_err(fail)?;
                }
                last = [table.to_owned(), account.to_owned(), id.to_owned()];
            }
            if rows.len() < CHUNK {
                return Ok(cleared);
            }
        }
    }
}

/// A column that holds JSON in which something may have to be taken out.
struct Piece<'t> {
    column: &'t str,
    jsonb: bool,
    /// SQL: whether it has to be looked into.
    condition: String,
}

/// The work on one table.
struct Clearing<'t> {
    table: &'t Table,
    left_out: &'t Exclusions,
    /// Where the table is.
    name: String,
    /// Columns that become null, quoted.
    nulls: Vec<String>,
    pieces: Vec<Piece<'t>>,
}

impl<'t> Clearing<'t> {
    fn new(table: &'t Table, names: &Names, left_out: &'t Exclusions) -> Clearing<'t> {
        let goes = |c: &&crate::catalog::Column| {
            left_out.has(&table.name, &c.name) || left_out.touches(table, c)
        };
        let nulls: Vec<String> =
            table.columns.iter().filter(goes).map(|c| quote(&c.name)).collect();
        let (mut inner, mut whole) = (BTreeSet::new(), BTreeSet::new());
        for place in left_out.of_table(&table.name) {
            match place.as_slice() {
                [Step::Key(key)] => whole.insert(key.as_str()),
                [Step::Key(key), ..] => inner.insert(key.as_str()),
                _ => false,
            };
        }
        let types: Vec<String> =
            left_out.objects().map(|object| literal(&format!("\"{object}\""))).collect();
        let mentions = |column: &str| {
            let each = types.iter().map(|t| format!("position({t} in t.{column}::text) > 0"));
            each.chain(["false".to_owned()]).collect::<Vec<_>>().join(" or ")
        };
        let json = table.columns.iter().filter(|c| !goes(c)).filter_map(|c| {
            let jsonb = c.sql == SqlType::Jsonb;
            let condition = match inner.contains(c.name.as_str()) {
                true => format!("t.{} is not null", quote(&c.name)),
                false => mentions(&quote(&c.name)),
            };
            let holds = jsonb || (c.sql == SqlType::Text && c.json == JsonKind::Json);
            holds.then(|| Piece { column: &c.name, jsonb, condition })
        });
        let mut pieces: Vec<Piece<'t>> = json.collect();
        // A value that does not fit its column, or a property without a column.
        let keys: Vec<String> = inner.iter().chain(&whole).map(|key| literal(key)).collect();
        let mut condition = mentions("_extra");
        if !keys.is_empty() {
            condition = format!("t._extra ?| array[{}] or {condition}", keys.join(", "));
        }
        pieces.push(Piece { column: "_extra", jsonb: true, condition });
        Clearing { table, left_out, name: names.table(&table.name), nulls, pieces }
    }

    async fn run(&self, database: &Database) -> Result<u64, PostgresError> {
        let mut patience = RetryBudget::new(database.max_outage());
        let (mut from, mut cleared) = ((String::new(), String::new()), 0);
        loop {
            match self.chunk(database, &from).await {
                Ok((rows, next)) => {
                    cleared += rows;
                    match next {
                        Some(next) => from = next,
                        None => return Ok(cleared),
                    }
                }
                Err(error) if patience.wait_before_retry(&error).await => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Clears the rows behind `from`; how many, and where the next ones begin.
    async fn chunk(
        &self,
        database: &Database,
        from: &(String, String),
    ) -> Result<(u64, Option<(String, String)>), PostgresError> {
        let fail = |e: tokio_postgres::Error| {
            PostgresError::new(format!("cannot clear {}", self.table.name), &e)
        };
        let mut client = database.get().await?;
        let transaction = begin(&mut client).await.map_err(fail)?;
        let behind: [Param<'_>; 2] = [(&from.0, Type::TEXT), (&from.1, Type::TEXT)];
        let bound = format!(
            "select id, _account_id from {} where (id, _account_id) > ($1, $2)
             order by id, _account_id offset {} limit 1",
            self.name,
            CHUNK - 1
        );
        let to = transaction.query_typed_opt(&bound, &behind).await.map_err(fail)?;
        let to: Option<(String, String)> = to.map(|row| (row.get(0), row.get(1)));
        let mut params = behind.to_vec();
        let mut within = "(t.id, t._account_id) > ($1, $2)".to_owned();
        if let Some((id, account)) = &to {
            params.extend([(id as _, Type::TEXT), (account as _, Type::TEXT)]);
            within.push_str(" and (t.id, t._account_id) <= ($3, $4)");
        }
        let rows = transaction.query_typed(&self.select(&within), &params).await.map_err(fail)?;
        let mut changed = Changed::new(self.pieces.len());
        for row in &rows {
            self.look(row, &mut changed);
        }
        let mut written = 0;
        if !changed.ids.is_empty() {
            let mut params: Vec<Param<'_>> =
                vec![(&changed.ids, Type::TEXT_ARRAY), (&changed.accounts, Type::TEXT_ARRAY)];
            params.extend(changed.pieces.iter().map(|texts| (texts as _, Type::TEXT_ARRAY)));
            written = transaction.execute_typed(&self.update(), &params).await.map_err(fail)?;
        }
        transaction.commit().await.map_err(fail)?;
        Ok((written, to))
    }

    /// Rows with something to look at: the key, whether a column becomes null, and the pieces.
    fn select(&self, within: &str) -> String {
        let nulls = self.nulls.iter().map(|c| format!("t.{c} is not null"));
        let nulls = nulls.chain(["false".to_owned()]).collect::<Vec<_>>().join(" or ");
        let pieces = self
            .pieces
            .iter()
            .map(|p| format!("case when {} then t.{}::text end", p.condition, quote(p.column)));
        let any = self.pieces.iter().map(|p| p.condition.clone()).chain([nulls.clone()]);
        format!(
            "select t.id, t._account_id, {nulls}, {} from {} t where {within} and ({})
             order by t.id, t._account_id for update",
            pieces.collect::<Vec<_>>().join(", "),
            self.name,
            any.collect::<Vec<_>>().join(" or "),
        )
    }

    fn update(&self) -> String {
        let nulls = self.nulls.iter().map(|c| format!("{c} = null"));
        let pieces = self.pieces.iter().enumerate().map(|(i, piece)| {
            let column = quote(piece.column);
            // No text: nothing to change. A JSON null: nothing is left.
            let new = match piece.jsonb {
                true => format!("nullif(e.p{i}::jsonb, 'null'::jsonb)"),
                false => format!("e.p{i}"),
            };
            format!("{column} = case when e.p{i} is null then t.{column} else {new} end")
        });
        let set: Vec<String> =
            nulls.chain(pieces).chain(["updated_at = now()".to_owned()]).collect();
        let numbers = 0..self.pieces.len();
        let arrays: Vec<String> = numbers.clone().map(|i| format!("${}::text[]", i + 3)).collect();
        let columns: Vec<String> = numbers.map(|i| format!("p{i}")).collect();
        format!(
            "update {} t set {} from unnest($1::text[], $2::text[], {}) e(id, account, {})
             where t.id = e.id and t._account_id = e.account",
            self.name,
            set.join(", "),
            arrays.join(", "),
            columns.join(", "),
        )
    }

    /// Notes the row if something of it has to go.
    fn look(&self, row: &Row, changed: &mut Changed) {
        let becomes_null: bool = row.get(2);
        let stored: Vec<Option<&str>> =
            (0..self.pieces.len()).map(|i| row.get::<_, Option<&str>>(i + 3)).collect();
        let new: Vec<Option<String>> = self
            .pieces
            .iter()
            .zip(&stored)
            .map(|(piece, raw)| self.without(piece, (*raw)?))
            .collect();
        if becomes_null || new.iter().any(Option::is_some) {
            changed.ids.push(row.get(0));
            changed.accounts.push(row.get(1));
            changed.pieces.iter_mut().zip(new).for_each(|(column, text)| column.push(text));
        }
    }

    /// A column's JSON without what is left out; `None` if there is nothing of it in there.
    fn without(&self, piece: &Piece<'_>, raw: &str) -> Option<String> {
        // A text column takes any text; only JSON can hold an object.
        serde_json::from_str::<&RawValue>(raw).ok()?;
        if piece.column == "_extra" {
            let kept = redact(raw, &self.table.name, self.left_out);
            let whole = |key: &str| {
                let places = self.left_out.of_table(&self.table.name);
                places.iter().any(|p| matches!(p.as_slice(), [Step::Key(k)] if key_is(key, k)))
            };
            let gone = fields(raw).any(|(key, _)| whole(key));
            if !gone && kept == raw {
                return None;
            }
            let left: Vec<String> = fields(&kept)
                .filter(|(key, _)| !whole(key))
                .map(|(key, value)| format!("\"{key}\":{value}"))
                .collect();
            return Some(if left.is_empty() {
                "null".into()
            } else {
                format!("{{{}}}", left.join(","))
            });
        }
        // As in the object that it came from, so that the places lead to it.
        let object = format!("{{\"{}\":{raw}}}", piece.column);
        match redact(&object, &self.table.name, self.left_out) {
            kept if kept == object => None,
            kept => fields(&kept).next().map(|(_, value)| value.to_owned()),
        }
    }
}

/// The rows of one update.
struct Changed {
    ids: Vec<String>,
    accounts: Vec<String>,
    pieces: Vec<Vec<Option<String>>>,
}

impl Changed {
    fn new(pieces: usize) -> Changed {
        Changed { ids: Vec::new(), accounts: Vec::new(), pieces: vec![Vec::new(); pieces] }
    }
}
