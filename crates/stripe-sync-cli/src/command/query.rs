//! `stripe-sync query`: statements in read-only transactions, one transaction each.

use std::io::Read as _;

use stripe_sync::{QueryPart, StripeSync};
use tokio::sync::oneshot;

use crate::args::{OutputFormat, Query};
use crate::context::CommandContext;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::query_output::RowOutput;
use crate::query_table::RowTable;
use crate::settings::DatabaseSettings;
use crate::ui;
use crate::{number, query_csv, redaction, statements};

pub(super) async fn run(args: &Query, context: &CommandContext) -> Result<Exit, Failure> {
    let database = DatabaseSettings::resolve(&context.connection, &context.environment)?;
    let open = async {
        let text = text(args).await?;
        statements(args, &text)?;
        let open = database.target.open_existing().await?;
        let sync = StripeSync::connect(database.config(open.url())).await?;
        Ok((text, open, sync))
    };
    let (text, open, sync) = context.interrupts.unless(open).await?;
    let statements = statements(args, &text)?;
    let print = async {
        match context.output.format {
            OutputFormat::Json => print_json(&sync, &statements).await,
            format => print_rows(&sync, &statements, format).await,
        }
    };
    let answered = context.interrupts.unless(print).await;
    sync.queries_ended().await;
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
    // Runs on its own thread, so that it does not delay the exit of the program: a terminal may
    // never send an end of file.
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
            .with_hint("for example: stripe-sync query 'select count(*) from customers'")),
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
        let is_csv = format == OutputFormat::Csv;
        let mut output = if is_csv { RowOutput::data() } else { RowOutput::styled() };
        if i > 0 {
            output.push("\n");
        }
        let mut table = RowTable::default();
        let mut rows = 0;
        sync.query_parts(sql, |part| {
            match part {
                QueryPart::Columns(columns) if is_csv => {
                    output.push(&query_csv::heading(columns));
                }
                QueryPart::Row(row) if is_csv => output.push(&query_csv::line(row)),
                QueryPart::Columns(columns) => table.columns(columns),
                QueryPart::Row(row) => output.push(&table.row(row)),
                _ => {}
            }
            rows += i64::from(matches!(part, QueryPart::Row(_)));
            output.flow()
        })
        .await?;
        output.push(&table.finish());
        output.finish()?;
        if !is_csv {
            ui::note(&number::quantity(rows, "row"));
        }
    }
    Ok(())
}

/// Prints an array of rows, or an array with one such array for each of several statements.
async fn print_json(sync: &StripeSync, statements: &[&str]) -> Result<(), Failure> {
    let mut output = RowOutput::data();
    let is_one = statements.len() == 1;
    if !is_one {
        output.push("[");
    }
    for (i, sql) in statements.iter().enumerate() {
        if i > 0 {
            output.push(",");
        }
        print_array(sync, sql, &mut output).await?;
    }
    output.push(if is_one { "\n" } else { "]\n" });
    output.finish()
}

/// An array of objects, one per row.
async fn print_array(sync: &StripeSync, sql: &str, output: &mut RowOutput) -> Result<(), Failure> {
    let mut rows = 0_u64;
    sync.query_json(sql, |object| {
        output.push(if rows == 0 { "[\n  " } else { ",\n  " });
        output.push(object);
        rows += 1;
        output.flow()
    })
    .await?;
    output.push(if rows == 0 { "[]" } else { "\n]" });
    Ok(())
}
