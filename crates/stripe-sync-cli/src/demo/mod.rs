//! `stripe-sync demo`: copies a simulated account into a temporary PostgreSQL and compares every
//! row with its object in the simulator. It does not use the user's key or database.

mod compare;
mod queries;

use std::path::Path;
use std::time::Instant;

use private_postgres::{Options, Server};
use serde_json::json;
use stripe_sim::{Account, Sim, SimOptions};
use stripe_sync::{
    ApiBase, ApiKey, BackfillRequest, Config, Names, RateOptions, RunStatus, StripeSync,
};

use crate::args::{Connection, Demo};
use crate::context::CommandContext;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::monitor::{self, BackfillOutcome};
use crate::next_command;
use crate::number;
use crate::table::TextTable;
use crate::ui::{self, BOLD};

use self::compare::Comparison;

/// Fixed, so that everyone sees the same account.
const SEED: u64 = 42;
const SCHEMA: &str = "stripe";

pub(crate) async fn run(args: &Demo, context: &CommandContext) -> Result<Exit, Failure> {
    let started = Instant::now();
    reject_connection_options(&context.connection)?;
    if let Some(dir) = &args.keep {
        require_new_directory(dir)?;
    }
    let demo = context.interrupts.unless(set_up(args)).await?;
    let request = BackfillRequest::default();
    let report = match monitor::run_backfill(&demo.sync, &request, None, context).await? {
        BackfillOutcome::Finished { report, .. } if report.status != RunStatus::Interrupted => {
            report
        }
        _ => return Err(Failure::interrupted()),
    };
    let is_identical = context.interrupts.unless(show(&demo, context, &report, started)).await?;
    let RunningDemo { server, sync, .. } = demo;
    drop(sync);
    server.stop().await?;
    if !context.is_json() {
        ui::styled(&instructions(args.keep.as_deref()))?;
    }
    let complete = report.status == RunStatus::Complete;
    Ok(if complete && is_identical { Exit::Complete } else { Exit::Failed })
}

/// The simulator, the server, and the copy between them.
struct RunningDemo {
    sim: Sim,
    server: Server,
    sync: StripeSync,
}

async fn set_up(args: &Demo) -> Result<RunningDemo, Failure> {
    let failure =
        |error: &dyn std::error::Error| Failure::new("cannot simulate an account").caused_by(error);
    let account = Account::builder(SEED).demo().build().map_err(|error| failure(&error))?;
    let sim = Sim::start(account, SimOptions::default()).await.map_err(|error| failure(&error))?;
    let server = match &args.keep {
        Some(dir) => Server::start(Options::new(dir)).await?,
        None => Server::temporary().await?,
    };
    ui::note(&format!(
        "simulated account {} at {}; PostgreSQL {} in {}",
        sim.account().id(),
        sim.base_url(),
        server.major(),
        args.keep
            .as_deref()
            .map_or("a temporary directory".to_owned(), |d| d.display().to_string()),
    ));
    let names = Names::new(SCHEMA, "").map_err(|error| Failure::new(error.to_string()))?;
    let mut config = Config::new(server.connection_url(), names);
    config.key = Some(ApiKey::parse(sim.key()).map_err(|error| failure(&error))?);
    config.api_base = ApiBase::parse(&sim.base_url()).map_err(|error| failure(&error))?;
    // The simulator has no rate limits.
    config.rate = Some(RateOptions::Unlimited);
    let sync = StripeSync::connect(config).await?;
    let migration = sync.migrate().await?;
    ui::note(&format!("schema {SCHEMA} has {}", number::quantity(migration.tables, "table")));
    Ok(RunningDemo { sim, server, sync })
}

/// Compares the tables, runs the queries, and prints the results. True if every table contains
/// exactly the objects of the account.
async fn show(
    demo: &RunningDemo,
    context: &CommandContext,
    report: &stripe_sync::Report,
    started: Instant,
) -> Result<bool, Failure> {
    let comparisons = compare::all_tables(demo.sim.account(), &demo.sync, SCHEMA).await?;
    let queries = queries::run(&demo.sync).await?;
    let identical = comparisons.iter().all(Comparison::is_identical);
    if context.is_json() {
        let tables: serde_json::Map<String, serde_json::Value> =
            comparisons.iter().map(|c| (c.table.clone(), c.as_json())).collect();
        ui::json(&json!({
            "status": report.status.as_str(),
            "identical": identical,
            "elapsed_seconds": started.elapsed().as_secs_f64(),
            "tables": tables,
        }))?;
        return Ok(identical);
    }
    let rows: i64 = report.streams.iter().map(|stream| stream.synced).sum();
    ui::styled(&format!(
        "{}\n{BOLD}backfill {}{BOLD:#}: {} listed in {} ({}), {}\n\n{}",
        table(&comparisons),
        report.status.as_str(),
        number::quantity(rows, "object"),
        number::duration(report.elapsed),
        number::rate(rows, report.elapsed),
        number::quantity(report.requests, "request"),
        queries
    ))?;
    Ok(identical)
}

fn table(comparisons: &[Comparison]) -> String {
    let mut table = TextTable::new(&["stream", "in Stripe", "in PostgreSQL", "identical"], &[1, 2]);
    let (empty, shown): (Vec<_>, Vec<_>) = comparisons.iter().partition(|c| c.is_empty());
    for comparison in &shown {
        table.row([
            comparison.table.as_str(),
            &number::count(comparison.in_stripe),
            &number::count(comparison.in_postgres),
            if comparison.is_identical() { "yes" } else { "no" },
        ]);
    }
    let mut text = table.finish();
    let rows: usize = shown.iter().map(|c| c.in_postgres).sum();
    let (count, tables) = (number::quantity(rows, "row"), comparisons.len());
    text.push_str(&format!(
        "{count} in {tables} tables, of which {} are empty on both sides\n",
        empty.len()
    ));
    for comparison in shown.iter().filter(|c| !c.is_identical()) {
        text.push_str(&comparison.difference());
    }
    text
}

fn instructions(kept: Option<&Path>) -> String {
    let kept = kept.map_or(String::new(), |dir| {
        format!(
            "To query this copy:\n  stripe-sync --data-dir {} query 'select id, email from customers limit 3'\n\n",
            next_command::shell_quote(&dir.to_string_lossy())
        )
    });
    format!(
        "{kept}{BOLD}To copy your own account:{BOLD:#}
  export STRIPE_SECRET_KEY=...   # https://dashboard.stripe.com/apikeys
  stripe-sync backfill
  stripe-sync query 'select count(*) from customers'
"
    )
}

/// Rejects options that would have no effect. Variables are ignored, because they may be set for
/// other commands.
fn reject_connection_options(args: &Connection) -> Result<(), Failure> {
    let Connection {
        database_url,
        data_dir,
        schema,
        table_prefix,
        max_connections,
        wait_for_database,
        account,
        api_base,
        api_version,
        max_rps,
        env_file,
    } = args;
    let given = [
        ("--database-url", database_url.is_some()),
        ("--data-dir", data_dir.is_some()),
        ("--schema", schema.is_some()),
        ("--table-prefix", table_prefix.is_some()),
        ("--max-connections", max_connections.is_some()),
        ("--wait-for-database", wait_for_database.is_some()),
        ("--account", account.is_some()),
        ("--api-base", api_base.is_some()),
        ("--api-version", api_version.is_some()),
        ("--max-rps", max_rps.is_some()),
        ("--env-file", env_file.is_some()),
    ];
    match given.iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((option, _)) => Err(Failure::usage(format!("demo does not accept {option}"))
            .with_hint(
                "the demo uses its own account and database; to keep the database, use --keep DIR",
            )),
    }
}

/// A directory that is not empty may contain a real copy, which the demo must not change.
fn require_new_directory(dir: &Path) -> Result<(), Failure> {
    let is_new = match std::fs::read_dir(dir) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    };
    match is_new && !dir.as_os_str().is_empty() {
        true => Ok(()),
        false => {
            Err(Failure::usage(format!("--keep {} is not a new or empty directory", dir.display()))
                .with_hint("choose a directory that does not exist or is empty"))
        }
    }
}
