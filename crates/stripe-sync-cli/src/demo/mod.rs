//! `stripe-sync demo`: the whole way with nothing of the user's. A simulated account, a
//! PostgreSQL of its own, a backfill, and a comparison of every table with the simulator's ids.

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
use crate::copy::{self, Copied};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::number;
use crate::session::Session;
use crate::table::Columns;
use crate::talk::{self, BOLD};

use self::compare::Comparison;

/// Any will do; the same one shows everybody the same account.
const SEED: u64 = 42;
const SCHEMA: &str = "stripe";

pub(crate) async fn run(args: &Demo, session: &Session) -> Result<Exit, Failure> {
    let began = Instant::now();
    nothing_of_the_users(&session.connection)?;
    if let Some(dir) = &args.keep {
        must_be_new(dir)?;
    }
    let ready = session.interrupts.unless(make_ready(args)).await?;
    let request = BackfillRequest::default();
    let report = match copy::watched(&ready.sync, &request, session).await? {
        Copied::Report { report, .. } if report.status != RunStatus::Interrupted => report,
        _ => return Err(Failure::interrupted()),
    };
    let ids_match = session.interrupts.unless(show(&ready, session, &report, began)).await?;
    let Ready { server, sync, .. } = ready;
    drop(sync);
    server.stop().await?;
    if !session.is_json() {
        talk::data(&next(args.keep.as_deref()))?;
    }
    let complete = report.status == RunStatus::Complete;
    Ok(if complete && ids_match { Exit::Complete } else { Exit::Failed })
}

/// Both ends.
struct Ready {
    sim: Sim,
    server: Server,
    sync: StripeSync,
}

async fn make_ready(args: &Demo) -> Result<Ready, Failure> {
    let cannot =
        |error: &dyn std::error::Error| Failure::new("cannot simulate an account").because(error);
    let account = Account::builder(SEED).demo().build().map_err(|error| cannot(&error))?;
    let sim = Sim::start(account, SimOptions::default()).await.map_err(|error| cannot(&error))?;
    let server = match &args.keep {
        Some(dir) => Server::start(Options::new(dir)).await?,
        None => Server::temporary().await?,
    };
    talk::note(&format!(
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
    config.key = Some(ApiKey::parse(sim.key()).map_err(|error| cannot(&error))?);
    config.api_base = ApiBase::parse(&sim.base_url()).map_err(|error| cannot(&error))?;
    // The simulator has no limits to be considerate about.
    config.rate = Some(RateOptions::Unlimited);
    let sync = StripeSync::connect(config).await?;
    let migration = sync.migrate().await?;
    talk::note(&format!("schema {SCHEMA} has {}", number::of(migration.tables, "table")));
    Ok(Ready { sim, server, sync })
}

/// Compares, asks, prints. True if every table has exactly the account's ids.
async fn show(
    ready: &Ready,
    session: &Session,
    report: &stripe_sync::Report,
    began: Instant,
) -> Result<bool, Failure> {
    let comparisons = compare::all_tables(ready.sim.account(), &ready.sync, SCHEMA).await?;
    let answers = queries::ask(&ready.sync).await?;
    let identical = comparisons.iter().all(Comparison::is_identical);
    if session.is_json() {
        let tables: serde_json::Map<String, serde_json::Value> =
            comparisons.iter().map(|c| (c.table.clone(), c.as_json())).collect();
        talk::json(&json!({
            "status": report.status.as_str(),
            "identical": identical,
            "elapsed_seconds": began.elapsed().as_secs_f64(),
            "tables": tables,
        }))?;
        return Ok(identical);
    }
    let rows: i64 = report.streams.iter().map(|stream| stream.synced).sum();
    talk::data(&format!(
        "{}\n{BOLD}backfill {}{BOLD:#}: {} listed in {} ({}), {}\n\n{}",
        table(&comparisons),
        report.status.as_str(),
        number::of(rows, "object"),
        number::duration(report.elapsed),
        number::rate(rows, report.elapsed),
        number::of(report.requests, "request"),
        answers
    ))?;
    Ok(identical)
}

fn table(comparisons: &[Comparison]) -> String {
    let mut columns = Columns::new(&["stream", "in Stripe", "in PostgreSQL", "identical"], &[1, 2]);
    let (empty, shown): (Vec<_>, Vec<_>) = comparisons.iter().partition(|c| c.is_empty());
    for one in &shown {
        columns.row([
            one.table.as_str(),
            &number::count(one.in_stripe),
            &number::count(one.in_postgres),
            if one.is_identical() { "yes" } else { "no" },
        ]);
    }
    let mut text = columns.finish();
    let rows: usize = shown.iter().map(|c| c.in_postgres).sum();
    let (count, tables) = (number::of(rows, "row"), comparisons.len());
    text.push_str(&format!(
        "{count} in {tables} tables, {} of them empty on both sides\n",
        empty.len()
    ));
    for one in shown.iter().filter(|c| !c.is_identical()) {
        text.push_str(&one.difference());
    }
    text
}

fn next(kept: Option<&Path>) -> String {
    let kept = kept.map_or(String::new(), |dir| {
        format!(
            "This copy stays: stripe-sync --data-dir '{}' query \"select * from stripe.customers limit 3\"\n\n",
            dir.display()
        )
    });
    format!(
        "\n{kept}{BOLD}Now with your own account:{BOLD:#}
  export STRIPE_SECRET_KEY=...   # https://dashboard.stripe.com/apikeys
  stripe-sync backfill
  stripe-sync query \"select count(*) from stripe.customers\"
"
    )
}

/// An option that would change nothing is a misunderstanding. Variables are for other commands.
fn nothing_of_the_users(typed: &Connection) -> Result<(), Failure> {
    let Connection {
        database_url,
        data_dir,
        schema,
        table_prefix,
        max_connections,
        account,
        api_base,
        api_version,
        max_rps,
    } = typed;
    let given = [
        ("--database-url", database_url.is_some()),
        ("--data-dir", data_dir.is_some()),
        ("--schema", schema.is_some()),
        ("--table-prefix", table_prefix.is_some()),
        ("--max-connections", max_connections.is_some()),
        ("--account", account.is_some()),
        ("--api-base", api_base.is_some()),
        ("--api-version", api_version.is_some()),
        ("--max-rps", max_rps.is_some()),
    ];
    match given.iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((option, _)) => Err(Failure::usage(format!("demo takes no {option}"))
            .hint("it uses nothing of yours; --keep DIR keeps its database")),
    }
}

/// A directory with something in it may be a real copy, which the demo must not write into.
fn must_be_new(dir: &Path) -> Result<(), Failure> {
    let is_new = match std::fs::read_dir(dir) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    };
    match is_new && !dir.as_os_str().is_empty() {
        true => Ok(()),
        false => Err(Failure::usage(format!("--keep {} is not a new directory", dir.display()))
            .hint("name one that does not exist yet or is empty")),
    }
}
