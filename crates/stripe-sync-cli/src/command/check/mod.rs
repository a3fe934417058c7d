//! `stripe-sync check`: everything that would stop a backfill, found without writing anything.
//!
//! A setting that makes no sense is a finding like the others: what it does not concern is looked
//! at all the same.

mod found;
mod json;
mod text;

use private_postgres::{OLDEST_MAJOR, find_binaries};
use stripe_sync::{CheckReport, CheckRequest, DatabaseCheck, Names, StripeCheck};

use super::backfill::known_objects;
use crate::args::Check;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::place::{self, OpenPlace};
use crate::session::Session;
use crate::settings::{Database, Place, Stripe};
use crate::talk;

use self::found::{Checked, PrivatePlace};

pub(super) async fn run(args: &Check, session: &Session) -> Result<Exit, Failure> {
    known_objects(&args.objects)?;
    let stripe = Stripe::resolve(&session.connection, &session.environment);
    let database = Database::resolve(&session.connection, &session.environment);
    let mut checked = Checked::default();
    let opened = match &database {
        Ok(database) => {
            checked.schema = Some(database.names.schema().to_owned());
            open(database, &mut checked).await
        }
        Err(_) => None,
    };
    let url = opened.as_ref().map(OpenPlace::url).unwrap_or_default();
    let mut config = match &database {
        Ok(database) => database.config(url),
        // Only for Stripe's side.
        Err(_) => stripe_sync::Config::new("", Names::new("stripe", "").map_err(bad_name)?),
    };
    if let Ok(stripe) = &stripe {
        stripe.add_to(&mut config);
    }
    let request = CheckRequest {
        objects: args.objects.clone(),
        stripe: stripe.is_ok(),
        database: opened.is_some(),
    };
    let CheckReport { stripe: asked, database: inspected } =
        stripe_sync::check(&config, &request).await?;
    if let Some(place) = opened {
        place.close().await;
    }
    checked.stripe_failures.extend(stripe.err());
    checked.database_failures.extend(database.err());
    checked.stripe = asked.map(|mut check: StripeCheck| {
        checked.stripe_failures.extend(check.problems.drain(..).map(Failure::from));
        check
    });
    checked.database = inspected.map(|mut check: DatabaseCheck| {
        checked.database_failures.extend(check.problems.drain(..).map(Failure::from));
        check
    });
    match session.is_json() {
        true => talk::json(&json::as_json(&checked, args.skip_denied))?,
        false => {
            let all = session.output.verbose > 0;
            talk::data(&text::as_text(&checked, args.skip_denied, all))?;
        }
    }
    Ok(checked.exit(args.skip_denied))
}

/// The user's database, or the private one if it has been made already. Otherwise says which one
/// a backfill would make.
async fn open(database: &Database, checked: &mut Checked) -> Option<OpenPlace> {
    let Place::Private(dir) = &database.place else { return database.open().await.ok() };
    let mut private = PrivatePlace { dir: dir.clone(), exists: true, binaries: None };
    if database.is_untouched() {
        private.exists = false;
        match find_binaries().into_iter().next() {
            Some(newest) if newest.major >= OLDEST_MAJOR => private.binaries = Some(newest),
            Some(older) => checked
                .database_failures
                .push(private_postgres::Error::TooOld { found: older.major }.into()),
            None => checked.database_failures.push(private_postgres::Error::NoBinaries.into()),
        }
        checked.database_failures.extend(place::obstacle(dir));
        checked.private = Some(private);
        return None;
    }
    checked.private = Some(private);
    match database.open().await {
        Ok(place) => Some(place),
        Err(failure) => {
            checked.database_failures.push(failure);
            None
        }
    }
}

fn bad_name(error: stripe_sync::BadName) -> Failure {
    Failure::new(error.to_string())
}
