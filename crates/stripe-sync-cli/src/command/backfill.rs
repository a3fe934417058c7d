//! `stripe-sync backfill`: copies existing objects.
//!
//! Checks the arguments first, then asks Stripe about the key, and only then opens the database, so
//! that a mistyped name or key changes nothing.

use std::time::SystemTime;

use stripe_sync::{BackfillRequest, DatabaseUrl, Range, RangeError, Report, RunStatus, StripeSync};

use super::catch_up;
use super::connect::connect;
use super::report;
use crate::args::Backfill;
use crate::columns::{self, ColumnChanges};
use crate::context::CommandContext;
use crate::database_target::OpenDatabase;
use crate::deadline::{self, Deadline};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::monitor::{self, BackfillOutcome, StopReason};
use crate::number;
use crate::settings::{DatabaseSettings, StripeSettings};
use crate::suggestion::closest_match;
use crate::ui;

pub(super) async fn run(args: &Backfill, context: &CommandContext) -> Result<Exit, Failure> {
    let deadline = args.deadline.as_deref().map(Deadline::parse).transpose()?;
    let mut request = request(args)?;
    let columns = ColumnChanges::resolve(&args.columns, &context.environment)?;
    let stripe = StripeSettings::resolve(&context.connection, &context.environment)?;
    let database = DatabaseSettings::resolve(&context.connection, &context.environment)?;
    let open = async {
        let (sync, open_database) = connect(&stripe, &database, Some(&columns)).await?;
        introduce(&sync, &open_database, &database).await?;
        let mut included = false;
        if !columns.is_empty() {
            columns::report_exclusions(&sync.prepare().await?.excluded);
            included = columns.include(&sync).await?;
        }
        Ok((sync, open_database, included))
    };
    let (sync, open_database, included) =
        context.interrupts.unless(deadline::until(deadline.as_ref(), Box::pin(open))).await?;
    // The pages that an unfinished run has already read were stored without the column.
    request.fresh |= included;
    let outcome = monitor::run_backfill(&sync, &request, deadline.as_ref(), context).await;
    drop(sync);
    if let Ok(BackfillOutcome::Aborted(reason)) = outcome {
        const TEXT: &str =
            "stopped immediately; committed pages are safe, and the same command resumes the run";
        ui::line(TEXT);
        if context.is_json() {
            ui::failure_as_json(&reason.failure(TEXT));
        }
        return Ok(reason.exit());
    }
    match &outcome {
        Ok(BackfillOutcome::Finished { stopped_by: Some(_), .. }) => {
            open_database.close_soon().await
        }
        _ => open_database.close(&context.interrupts).await,
    }
    let BackfillOutcome::Finished { report, continued, stopped_by } = outcome? else {
        return Ok(Exit::Interrupted);
    };
    let summary = report::Summary {
        database: &database,
        connection: &context.connection,
        skip_denied: args.skip_denied,
        continued,
        has_range: !request.range.is_all(),
    };
    match context.is_json() {
        true => ui::json(&report::as_json(&report))?,
        false => ui::styled(&report::as_text(&report, &summary))?,
    }
    Ok(exit(&report, args.skip_denied, stopped_by))
}

/// Says what is copied to where.
async fn introduce(
    sync: &StripeSync,
    open: &OpenDatabase,
    settings: &DatabaseSettings,
) -> Result<(), Failure> {
    let identity = sync.identity().await?;
    let (host, database) = DatabaseUrl::place(open.url()).unwrap_or_default();
    ui::note(&format!(
        "copying account {} ({} mode) to database {database} on {host}, schema {}",
        identity.account,
        identity.mode,
        settings.names.schema()
    ));
    Ok(())
}

fn exit(report: &Report, skip_denied: bool, stopped_by: Option<StopReason>) -> Exit {
    match report.status {
        RunStatus::Complete => catch_up::exit(report, stopped_by),
        RunStatus::Incomplete if skip_denied && report.only_denied() => {
            catch_up::exit(report, stopped_by)
        }
        RunStatus::Incomplete => Exit::Incomplete,
        RunStatus::Failed => Exit::Failed,
        RunStatus::Interrupted => stopped_by.map_or(Exit::Interrupted, StopReason::exit),
    }
}

fn request(args: &Backfill) -> Result<BackfillRequest, Failure> {
    known_objects(&args.objects)?;
    let now = number::unix_seconds(SystemTime::now());
    let range =
        Range::parse(args.since.as_deref(), args.until.as_deref(), now).map_err(range_failure)?;
    let range = range
        .created(args.created_gt, args.created_gte, args.created_lt, args.created_lte)
        .map_err(range_failure)?;
    if range.since().is_some_and(|since| since > now) {
        // Not an error: a script that loops over days may be ahead of this clock.
        ui::warning("the range starts in the future, so it contains no objects yet");
    }
    Ok(BackfillRequest { objects: args.objects.clone(), range, fresh: args.fresh })
}

/// Checks names, each of which may be a comma-separated list.
///
/// # Errors
/// The first name that does not exist.
pub(super) fn known_objects(objects: &[String]) -> Result<(), Failure> {
    for name in objects.iter().flat_map(|names| names.split(',')).map(str::trim) {
        let request = BackfillRequest { objects: vec![name.to_owned()], ..Default::default() };
        if request.check().is_err() {
            return Err(unknown_object(name));
        }
    }
    Ok(())
}

fn range_failure(error: RangeError) -> Failure {
    match error {
        RangeError::Unreadable(text) => Failure::usage(format!("cannot read the time {text:?}"))
            .with_hint(
                "give a date (2024-01-31), a date and time (2024-01-31T12:00:00Z), a duration \
                 before now (30d, 12h), or Unix seconds",
            ),
        RangeError::Empty => Failure::usage(error.to_string()).with_hint(
            "set the upper bound (--until) to a later time than the lower bound (--since)",
        ),
        RangeError::OutOfRange(_) => Failure::usage(error.to_string())
            .with_hint("give a time from 1970 to 9999; numbers are seconds, not milliseconds"),
    }
}

fn unknown_object(name: &str) -> Failure {
    let objects: Vec<&str> =
        std::iter::once("all").chain(stripe_sync::objects().iter().map(|(o, _)| *o)).collect();
    let message = match closest_match(name, &objects) {
        Some(similar) => format!("unknown object {name:?}; did you mean {similar}?"),
        None => format!("unknown object {name:?}"),
    };
    Failure::usage(message).with_hint(format!("the objects are\n{}", ui::wrapped(&objects)))
}
