//! `stripe-sync follow`: applies changes from Stripe's feed of events.

use std::ops::ControlFlow;

use serde_json::{Value, json};
use stripe_sync::{FollowProgress, Stop, StripeSync};

use super::connect::connect;
use crate::args::Follow;
use crate::context::CommandContext;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::monitor::SIGNAL_GRACE;
use crate::settings::{DatabaseSettings, StripeSettings};
use crate::table;
use crate::ui;

pub(super) async fn run(args: &Follow, context: &CommandContext) -> Result<Exit, Failure> {
    let stripe = StripeSettings::resolve(&context.connection, &context.environment)?
        .with_revalidate(&args.revalidate)?;
    let database = DatabaseSettings::resolve(&context.connection, &context.environment)?;
    let open = Box::pin(connect(&stripe, &database, None));
    let (sync, open_database) = context.interrupts.unless(open).await?;
    let followed = follow(&sync, args.once, context).await;
    drop(sync);
    open_database.close(&context.interrupts).await;
    let Some(progress) = followed? else {
        const TEXT: &str =
            "stopped immediately; the next command starts after the last events applied";
        if args.once {
            return Err(Failure::interrupted_because(TEXT));
        }
        // A signal is how following is meant to end.
        ui::note(TEXT);
        return Ok(Exit::Complete);
    };
    if context.is_json() {
        ui::data(&format!("{}\n", as_json(&progress)))?;
    } else {
        ui::data(&format!("{}\n", as_text(&progress)))?;
    }
    if progress.gap {
        ui::warning(
            "events were lost: the last ones were applied more than 30 days ago, and Stripe keeps \
             events for only 30 days; run `stripe-sync follow --once` to list the streams again",
        );
    }
    if let Some(why) = &progress.unlisted {
        ui::warning(&format!("streams could not be listed again: {}", table::clean(why)));
    }
    if progress.dead > 0 {
        ui::warning(
            "some objects could not be fetched and are no longer retried; to see why, run: stripe-sync \
             status; to retry them, run: stripe-sync refresh --failed",
        );
    }
    Ok(exit(&progress, args.once))
}

/// The command succeeds only if the copy is current and complete.
fn exit(progress: &FollowProgress, once: bool) -> Exit {
    let is_listed = !progress.gap && progress.unlisted.is_none();
    let is_complete =
        is_listed && (progress.pending, progress.dead, progress.quarantined) == (0, 0, 0);
    match once && !progress.caught_up {
        true => Exit::Interrupted,
        false if is_complete => Exit::Complete,
        false => Exit::Incomplete,
    }
}

/// Follows until the first signal. `None` if a second signal stopped it immediately.
async fn follow(
    sync: &StripeSync,
    once: bool,
    context: &CommandContext,
) -> Result<Option<FollowProgress>, Failure> {
    let stop = Stop::new();
    if !once {
        ui::note("following the account's events; press Ctrl-C to stop");
    }
    let mut shown = FollowProgress::default();
    let json = context.is_json();
    let report = |progress: &FollowProgress| {
        if progress.gap && !shown.gap {
            ui::warning(
                "events were lost: the last ones were applied more than 30 days ago, and Stripe \
                 keeps events for only 30 days; listing the streams again",
            );
        }
        let news = |p: &FollowProgress| {
            (p.events, p.fetched, p.failed, p.waiting, p.listed, p.gap, p.unlisted.clone())
        };
        let is_news = news(progress) != news(&shown);
        if is_news && !once {
            match json {
                // If nothing reads stdout any longer, following ends as after a signal.
                true => match ui::data_while_read(&format!("{}\n", as_json(progress))) {
                    Ok(ControlFlow::Continue(())) => {}
                    Ok(ControlFlow::Break(())) | Err(_) => stop.request(),
                },
                false => ui::note(&as_text(progress)),
            }
            shown = progress.clone();
        }
    };
    let work = async {
        match once {
            true => sync.catch_up(&stop).await,
            false => sync.follow(&stop, report).await,
        }
    };
    let signals = async {
        context.interrupts.at_least(1).await;
        stop.request();
        // It may be waiting for something that never arrives: a lock, or a reply from the database.
        tokio::select! {
            () = context.interrupts.at_least(2) => {}
            () = tokio::time::sleep(SIGNAL_GRACE) => {}
        }
    };
    tokio::select! {
        followed = work => Ok(Some(followed?)),
        () = signals => Ok(None),
    }
}

fn as_text(progress: &FollowProgress) -> String {
    if progress.waiting {
        return "another process is reading the events of this account; waiting".to_owned();
    }
    let mut text = format!(
        "{} events, {} changes, {} objects fetched, {} s behind",
        progress.events, progress.changes, progress.fetched, progress.lag
    );
    for (count, what) in [
        (progress.pending, "objects still to be fetched"),
        (progress.dead, "objects that cannot be fetched"),
    ] {
        if count > 0 {
            text.push_str(&format!(", {count} {what}"));
        }
    }
    if progress.listed > 0 {
        text.push_str(&format!(", {} objects listed again", progress.listed));
    }
    if let Some(why) = &progress.unlisted {
        text.push_str(&format!(", streams could not be listed again: {}", table::clean(why)));
    }
    if progress.quarantined > 0 {
        text.push_str(&format!(", {} rows quarantined", progress.quarantined));
    }
    text
}

fn as_json(progress: &FollowProgress) -> Value {
    json!({
        "events": progress.events,
        "changes": progress.changes,
        "fetched": progress.fetched,
        "quarantined": progress.quarantined,
        "failed": progress.failed,
        "pending": progress.pending,
        "dead": progress.dead,
        "waiting": progress.waiting,
        "cursor": progress.cursor,
        "lag_seconds": progress.lag,
        "caught_up": progress.caught_up,
        "listed": progress.listed,
        "gap": progress.gap,
        "unlisted": progress.unlisted,
    })
}
