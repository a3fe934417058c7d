//! `stripe-sync refresh`: single objects by their ids.

use serde_json::{Value, json};
use stripe_sync::{AccountHandle, RefreshOutcome, RefreshResult, StripeSync};

use crate::args::Refresh;
use crate::columns::{self, Choice};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::settings::{Database, Stripe};
use crate::table::{self, Columns};
use crate::talk;

pub(super) async fn run(args: &Refresh, session: &Session) -> Result<Exit, Failure> {
    stripe_sync::check_ids(&args.ids)?;
    let columns = Choice::resolve(&args.columns, &session.environment)?;
    let stripe = Stripe::resolve(&session.connection, &session.environment)?;
    let database = Database::resolve(&session.connection, &session.environment)?;
    let mut config = database.config("");
    stripe.add_to(&mut config);
    let account = AccountHandle::open(&config).await?;
    let place = database.open().await?;
    let mut config = database.config(place.url());
    stripe.add_to(&mut config);
    columns.add_to(&mut config);
    let sync = StripeSync::connect(config).await?.for_account(account);
    if !columns.is_empty() {
        columns::tell(&sync.prepare().await?.excluded);
        columns.take_in(&sync).await?;
    }
    let refreshed = sync.refresh(&args.ids).await?;
    drop(sync);
    place.close().await;
    match session.is_json() {
        true => talk::json(&json!({
            "objects": refreshed.iter().map(as_json).collect::<Vec<_>>()
        }))?,
        false => talk::data(&as_text(&refreshed))?,
    }
    Ok(exit(refreshed.iter().map(|one| &one.outcome)))
}

/// The worst outcome decides.
fn exit<'o>(outcomes: impl Iterator<Item = &'o RefreshOutcome> + Clone) -> Exit {
    let any = |wanted: fn(&RefreshOutcome) -> bool| outcomes.clone().any(wanted);
    if any(|o| matches!(o, RefreshOutcome::Failed(_))) {
        Exit::Failed
    } else if any(|o| matches!(o, RefreshOutcome::NotFound | RefreshOutcome::Quarantined)) {
        Exit::Incomplete
    } else {
        Exit::Complete
    }
}

fn as_text(refreshed: &[RefreshResult]) -> String {
    let mut columns = Columns::new(&["id", "table", "outcome"], &[]);
    let mut reasons = String::new();
    for one in refreshed {
        columns.row([&one.id, &one.table, &one.outcome.as_str().replace('_', " ")]);
        if let RefreshOutcome::Failed(reason) = &one.outcome {
            reasons.push_str(&format!("{}: {}\n", table::clean(&one.id), table::clean(reason)));
        }
    }
    let quarantined = refreshed.iter().any(|one| one.outcome == RefreshOutcome::Quarantined);
    if quarantined {
        reasons.push_str("why rows are in quarantine: stripe-sync status\n");
    }
    format!("{}{reasons}", columns.finish())
}

fn as_json(one: &RefreshResult) -> Value {
    let mut value = json!({ "id": one.id, "table": one.table, "outcome": one.outcome.as_str() });
    if let RefreshOutcome::Failed(reason) = &one.outcome {
        value["error"] = reason.as_str().into();
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_outcome_decides() {
        use RefreshOutcome::{Deleted, Failed, NotFound, Quarantined, Stored};
        for (outcomes, expected) in [
            (vec![Stored, Deleted], Exit::Complete),
            (vec![Stored, NotFound], Exit::Incomplete),
            (vec![Quarantined], Exit::Incomplete),
            (vec![NotFound, Failed("why".into()), Stored], Exit::Failed),
        ] {
            assert_eq!(exit(outcomes.iter()), expected, "{outcomes:?}");
        }
    }
}
