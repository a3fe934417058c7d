//! `stripe-sync query`: one statement that cannot write.

use std::io::Read as _;

use stripe_sync::{QueryResult, StripeSync};

use crate::args::Query;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::number;
use crate::session::Session;
use crate::settings::Database;
use crate::table::Columns;
use crate::talk;

pub(super) async fn run(args: &Query, session: &Session) -> Result<Exit, Failure> {
    let database = Database::resolve(&session.connection, &session.environment)?;
    let sql = statement(args)?;
    let place = database.open_existing().await?;
    let sync = StripeSync::connect(database.config(place.url())).await?;
    let answer = match session.is_json() {
        true => as_json(&sync, &sql).await?,
        false => {
            let result = sync.query(&sql).await?;
            talk::note(&number::of(result.rows.len(), "row"));
            as_text(&result)
        }
    };
    drop(sync);
    place.close().await;
    talk::data(&answer)?;
    Ok(Exit::Complete)
}

fn statement(args: &Query) -> Result<String, Failure> {
    let mut sql = args.sql.clone();
    if sql == "-" {
        sql.clear();
        std::io::stdin().read_to_string(&mut sql).map_err(|error| {
            Failure::new("cannot read the statement from stdin").because(&error)
        })?;
    }
    // What follows the last statement would stand in the way of putting it into another one.
    match sql.trim_matches(|c: char| c == ';' || c.is_whitespace()) {
        "" => Err(Failure::usage("the statement is empty")
            .hint("for example: stripe-sync query 'select count(*) from stripe.customers'")),
        sql => Ok(sql.to_owned()),
    }
}

/// A table of a query's answer. Null is empty, as in psql.
pub(crate) fn as_text(result: &QueryResult) -> String {
    if result.columns.is_empty() {
        return String::new();
    }
    let is_number = |i: &usize| {
        let mut values = result.rows.iter().filter_map(|row| row.get(*i)?.as_deref()).peekable();
        values.peek().is_some() && values.all(|value| value.parse::<f64>().is_ok())
    };
    let right: Vec<usize> = (0..result.columns.len()).filter(is_number).collect();
    let headings: Vec<&str> = result.columns.iter().map(String::as_str).collect();
    let mut columns = Columns::new(&headings, &right);
    for row in &result.rows {
        columns.row(row.iter().map(|value| value.as_deref().unwrap_or_default()));
    }
    columns.finish()
}

/// An array of objects. The server makes them, because it knows the types; statements that cannot
/// stand inside another one (`show`, `explain`) have texts as values.
async fn as_json(sync: &StripeSync, sql: &str) -> Result<String, Failure> {
    // The line break ends a comment at the statement's end.
    let typed = sync.query(&format!("select row_to_json(answer) from ({sql}\n) answer")).await;
    let objects: Vec<String> = match typed {
        Ok(result) => result.rows.into_iter().flatten().flatten().collect(),
        Err(_) => {
            let result = sync.query(sql).await?;
            result.rows.iter().map(|row| object(&result.columns, row)).collect()
        }
    };
    Ok(match objects.is_empty() {
        true => "[]\n".to_owned(),
        false => format!("[\n  {}\n]\n", objects.join(",\n  ")),
    })
}

fn object(columns: &[String], row: &[Option<String>]) -> String {
    let pairs: serde_json::Map<String, serde_json::Value> =
        columns.iter().cloned().zip(row.iter().map(|value| value.clone().into())).collect();
    serde_json::Value::Object(pairs).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_by_their_values() {
        let some = |text: &str| Some(text.to_owned());
        let result = QueryResult {
            columns: vec!["type".into(), "count".into()],
            rows: vec![
                vec![some("customers"), some("12000")],
                vec![some("plans"), None],
                vec![None, some("7")],
            ],
        };
        let text = anstream::adapter::strip_str(&as_text(&result)).to_string();
        assert_eq!(text, "type       count\ncustomers  12000\nplans\n               7\n");
    }
}
