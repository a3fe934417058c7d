//! `stripe-sync backfill`: history into tables.
//!
//! What can be checked without touching anything comes first, then Stripe, and only then the
//! database: a mistyped name or key leaves no trace.

use std::time::SystemTime;

use stripe_sync::{
    AccountHandle, BackfillRequest, Range, RangeError, Report, RunStatus, StripeSync,
};

use super::report;
use crate::args::Backfill;
use crate::columns::{self, Choice};
use crate::copy::{self, Copied};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::number;
use crate::session::Session;
use crate::settings::{Database, Stripe};
use crate::spelling::nearest;
use crate::talk;

pub(super) async fn run(args: &Backfill, session: &Session) -> Result<Exit, Failure> {
    let mut request = request(args)?;
    let columns = Choice::resolve(&args.columns, &session.environment)?;
    let stripe = Stripe::resolve(&session.connection, &session.environment)?;
    let database = Database::resolve(&session.connection, &session.environment)?;
    let open = async {
        let mut config = database.config("");
        stripe.add_to(&mut config);
        let account = AccountHandle::open(&config).await?;
        let place = database.open().await?;
        let mut config = database.config(place.url());
        stripe.add_to(&mut config);
        columns.add_to(&mut config);
        let sync = StripeSync::connect(config).await?.for_account(account);
        let mut taken_in = false;
        if !columns.is_empty() {
            columns::tell(&sync.prepare().await?.excluded);
            taken_in = columns.take_in(&sync).await?;
        }
        Ok((sync, place, taken_in))
    };
    let (sync, place, taken_in) = session.interrupts.unless(open).await?;
    // Pages that an unfinished run has read already came without the column.
    request.fresh |= taken_in;
    let copied = copy::watched(&sync, &request, session).await;
    drop(sync);
    if matches!(copied, Ok(Copied::Left)) {
        talk::line("stopped at once; every committed page is safe, the same command goes on");
        return Ok(Exit::Interrupted);
    }
    place.close().await;
    let Copied::Report { report, continued } = copied? else { return Ok(Exit::Interrupted) };
    let closing = report::Closing { database: &database, skip_denied: args.skip_denied, continued };
    match session.is_json() {
        true => talk::json(&report::as_json(&report))?,
        false => talk::data(&report::as_text(&report, &closing))?,
    }
    Ok(exit(&report, args.skip_denied))
}

fn exit(report: &Report, skip_denied: bool) -> Exit {
    match report.status {
        RunStatus::Complete => Exit::Complete,
        RunStatus::Incomplete if skip_denied && report.only_denied() => Exit::Complete,
        RunStatus::Incomplete => Exit::Incomplete,
        RunStatus::Failed => Exit::Failed,
        RunStatus::Interrupted => Exit::Interrupted,
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
        // Not an error: a loop over days may be ahead of a clock.
        talk::warning("the range begins in the future, where nothing has been created yet");
    }
    Ok(BackfillRequest { objects: args.objects.clone(), range, fresh: args.fresh })
}

/// Checks names, each of which may be several with commas.
///
/// # Errors
/// The first one that does not exist.
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
            .hint(
                "give a date (2024-01-31), a date and time (2024-01-31T12:00:00Z), a duration back \
                 from now (30d, 12h), or Unix seconds",
            ),
        RangeError::Empty => Failure::usage(error.to_string())
            .hint("give the upper bound (--until) a later time than the lower one (--since)"),
        RangeError::OutOfRange(_) => Failure::usage(error.to_string())
            .hint("give a time from 1970 to 9999; as a number, seconds and not milliseconds"),
    }
}

fn unknown_object(name: &str) -> Failure {
    let objects: Vec<&str> =
        std::iter::once("all").chain(stripe_sync::objects().iter().map(|(o, _)| *o)).collect();
    let message = match nearest(name, &objects) {
        Some(near) => format!("there is no object {name:?}; did you mean {near}?"),
        None => format!("there is no object {name:?}"),
    };
    Failure::usage(message).hint(format!("the objects are\n{}", talk::wrapped(&objects)))
}
