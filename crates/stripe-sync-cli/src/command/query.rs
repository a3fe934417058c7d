//! `stripe-sync query`: one statement in a read-only transaction.

use std::io::Read as _;

use stripe_sync::StripeSync;

use crate::args::Query;
use crate::context::CommandContext;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::settings::DatabaseSettings;
use crate::ui;
use crate::{number, query_table};

pub(super) async fn run(args: &Query, context: &CommandContext) -> Result<Exit, Failure> {
    let database = DatabaseSettings::resolve(&context.connection, &context.environment)?;
    let sql = statement(args)?;
    let open = database.target.open_existing().await?;
    let sync = StripeSync::connect(database.config(open.url())).await?;
    let answer = match context.is_json() {
        true => as_json(&sync, &sql).await?,
        false => {
            let result = sync.query(&sql).await?;
            ui::note(&number::quantity(result.rows.len(), "row"));
            query_table::as_text(&result)
        }
    };
    drop(sync);
    open.close().await;
    ui::data(&answer)?;
    Ok(Exit::Complete)
}

fn statement(args: &Query) -> Result<String, Failure> {
    let mut sql = args.sql.clone();
    if sql == "-" {
        sql.clear();
        std::io::stdin().read_to_string(&mut sql).map_err(|error| {
            Failure::new("cannot read the statement from stdin").caused_by(&error)
        })?;
    }
    // The JSON output nests the statement in another one, where a trailing `;` is an error.
    match sql.trim_matches(|c: char| c == ';' || c.is_whitespace()) {
        "" => Err(Failure::usage("the statement is empty")
            .with_hint("for example: stripe-sync query 'select count(*) from stripe.customers'")),
        sql => Ok(sql.to_owned()),
    }
}

/// An array of objects. The server builds them, because it knows the types. The values of statements
/// that cannot be nested (`show`, `explain`) are strings.
async fn as_json(sync: &StripeSync, sql: &str) -> Result<String, Failure> {
    // The line break ends a trailing comment.
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
