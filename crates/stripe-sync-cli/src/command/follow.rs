//! `stripe-sync follow`: applies changes from Stripe's feed of events.

use serde_json::{Value, json};
use stripe_sync::{AccountHandle, FollowProgress, Stop, StripeSync};

use crate::args::Follow;
use crate::context::CommandContext;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::settings::{DatabaseSettings, StripeSettings};
use crate::ui;

pub(super) async fn run(args: &Follow, context: &CommandContext) -> Result<Exit, Failure> {
    let stripe = StripeSettings::resolve(&context.connection, &context.environment)?;
    let database = DatabaseSettings::resolve(&context.connection, &context.environment)?;
    let open = async {
        let mut config = database.config("");
        stripe.add_to(&mut config);
        let account = AccountHandle::open(&config).await?;
        let open_database = database.target.open().await?;
        let mut config = database.config(open_database.url());
        stripe.add_to(&mut config);
        let sync = StripeSync::connect(config).await?.for_account(account);
        Ok((sync, open_database))
    };
    let (sync, open_database) = context.interrupts.unless(Box::pin(open)).await?;
    let followed = follow(&sync, args.once, context).await;
    drop(sync);
    open_database.close().await;
    let Some(progress) = followed? else { return Ok(Exit::Interrupted) };
    if context.is_json() {
        ui::data(&format!("{}\n", as_json(&progress)))?;
    } else {
        ui::data(&format!("{}\n", as_text(&progress)))?;
    }
    if progress.gap {
        ui::warning(
            "the last events were applied longer ago than Stripe keeps events (30 days); \
             run `stripe-sync backfill --fresh` to close the gap",
        );
        return Ok(Exit::Incomplete);
    }
    Ok(match progress.failed {
        0 => Exit::Complete,
        _ => Exit::Incomplete,
    })
}

/// Follows until the first signal. `None` if a second one ended it at once.
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
        let is_news = (progress.events, progress.fetched, progress.failed, progress.waiting)
            != (shown.events, shown.fetched, shown.failed, shown.waiting);
        if is_news && !once {
            match json {
                // A reader that has gone away ends the following like a signal.
                true if ui::data(&format!("{}\n", as_json(progress))).is_err() => stop.request(),
                true => {}
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
        context.interrupts.at_least(2).await;
    };
    tokio::select! {
        followed = work => Ok(Some(followed?)),
        () = signals => Ok(None),
    }
}

fn as_text(progress: &FollowProgress) -> String {
    if progress.waiting {
        return "another process reads the events of this account; waiting".to_owned();
    }
    let mut text = format!(
        "{} events, {} changes, {} objects fetched, {} s behind",
        progress.events, progress.changes, progress.fetched, progress.lag
    );
    if progress.failed > 0 {
        text.push_str(&format!(", {} objects could not be fetched yet", progress.failed));
    }
    text
}

fn as_json(progress: &FollowProgress) -> Value {
    json!({
        "events": progress.events,
        "changes": progress.changes,
        "fetched": progress.fetched,
        "failed": progress.failed,
        "waiting": progress.waiting,
        "cursor": progress.cursor,
        "lag_seconds": progress.lag,
        "gap": progress.gap,
    })
}
