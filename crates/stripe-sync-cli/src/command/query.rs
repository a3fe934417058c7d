//! `stripe-sync query`: statements in read-only transactions, one transaction each.

use std::io::Read as _;

use stripe_sync::StripeSync;
use tokio::sync::oneshot;

use crate::args::{OutputFormat, Query};
use crate::context::CommandContext;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::settings::DatabaseSettings;
use crate::ui;
use crate::{number, query_csv, query_table, redaction, statements};

pub(super) async fn run(args: &Query, context: &CommandContext) -> Result<Exit, Failure> {
    let database = DatabaseSettings::resolve(&context.connection, &context.environment)?;
    let text = text(args).await?;
    let statements = statements(args, &text)?;
    let open = database.target.open_existing().await?;
    let sync = StripeSync::connect(database.config(open.url())).await?;
    let answered = match context.output.format {
        OutputFormat::Json => print_json(&sync, &statements).await,
        format => print_rows(&sync, &statements, format).await,
    };
    drop(sync);
    open.close(&context.interrupts).await;
    answered?;
    Ok(Exit::Complete)
}

async fn text(args: &Query) -> Result<String, Failure> {
    if args.sql != "-" {
        return Ok(args.sql.clone());
    }
    let (sender, text) = oneshot::channel();
    // A thread of its own, which does not hold up the end of the program: a terminal may never send an end.
    std::thread::spawn(move || {
        let mut text = String::new();
        let read = std::io::stdin().read_to_string(&mut text);
        drop(sender.send(read.map(|_| text)));
    });
    let failure = Failure::new("cannot read the statement from stdin");
    match text.await {
        Ok(Ok(text)) => Ok(text),
        Ok(Err(error)) => Err(failure.caused_by(&error)),
        Err(error) => Err(failure.caused_by(&error)),
    }
}

/// The statements to run: one from the argument, or all from stdin.
fn statements<'a>(args: &Query, text: &'a str) -> Result<Vec<&'a str>, Failure> {
    if is_unknown_option(&args.sql) {
        return Err(Failure::usage(format!(
            "unexpected argument '{}'",
            redaction::redact_arguments(&args.sql)
        ))
        .with_hint("see `stripe-sync query --help`"));
    }
    let statements = statements::split(text);
    match statements.as_slice() {
        [] => Err(Failure::usage("the statement is empty")
            .with_hint("for example: stripe-sync query 'select count(*) from stripe.customers'")),
        // The server rejects several statements in one text.
        [_, _, ..] if args.sql != "-" => Ok(vec![text]),
        _ => Ok(statements),
    }
}

/// Whether the argument is a mistyped option. It is not a statement that begins with a comment,
/// because such a statement contains whitespace.
fn is_unknown_option(argument: &str) -> bool {
    argument.len() > 1 && argument.starts_with('-') && !argument.contains(char::is_whitespace)
}

/// Prints the rows of each statement, separated by an empty line.
async fn print_rows(
    sync: &StripeSync,
    statements: &[&str],
    format: OutputFormat,
) -> Result<(), Failure> {
    for (i, sql) in statements.iter().enumerate() {
        let result = sync.query(sql).await?;
        let separator = if i > 0 { "\n" } else { "" };
        let rows = match format {
            OutputFormat::Csv => query_csv::as_csv(&result),
            OutputFormat::Text | OutputFormat::Json => {
                ui::note(&number::quantity(result.rows.len(), "row"));
                query_table::as_text(&result)
            }
        };
        ui::data(&format!("{separator}{rows}"))?;
    }
    Ok(())
}

/// Prints an array of rows, or an array with one such array for each of several statements.
async fn print_json(sync: &StripeSync, statements: &[&str]) -> Result<(), Failure> {
    let mut results = Vec::with_capacity(statements.len());
    for sql in statements {
        results.push(as_json(sync, sql).await?);
    }
    match results.as_slice() {
        [result] => ui::data(result),
        results => ui::data(&format!("[{}]\n", results.join(",").trim_end())),
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
