//! `stripe-sync check`: finds everything that would prevent a backfill, without writing anything.
//!
//! An invalid setting is a finding like any other. Everything that does not depend on it is still
//! checked.

mod findings;
mod json;
mod text;

use private_postgres::{OLDEST_MAJOR, find_binaries};
use stripe_sync::{CheckReport, CheckRequest, DatabaseCheck, Names, StripeCheck};

use super::backfill::known_objects;
use crate::args::Check;
use crate::context::CommandContext;
use crate::database_target::{DatabaseTarget, OpenDatabase, check_new_directory};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::next_command;
use crate::settings::{DatabaseSettings, StripeSettings};
use crate::ui;

use self::findings::{Findings, PrivateDatabase};

pub(super) async fn run(args: &Check, context: &CommandContext) -> Result<Exit, Failure> {
    known_objects(&args.objects)?;
    let stripe = StripeSettings::resolve(&context.connection, &context.environment);
    let database = DatabaseSettings::resolve(&context.connection, &context.environment);
    let mut findings = Findings::default();
    let opened = match &database {
        Ok(database) => {
            findings.schema = Some(database.names.schema().to_owned());
            open(database, &mut findings).await
        }
        Err(_) => None,
    };
    let url = opened.as_ref().map(OpenDatabase::url).unwrap_or_default();
    let mut config = match &database {
        Ok(database) => database.config(url),
        // Used for the Stripe checks only.
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
    let CheckReport { stripe: stripe_check, database: database_check, .. } =
        stripe_sync::check(&config, &request).await?;
    if let Some(open) = opened {
        open.close(&context.interrupts).await;
    }
    findings.stripe_failures.extend(stripe.err());
    findings.database_failures.extend(database.err());
    findings.stripe = stripe_check.map(|mut check: StripeCheck| {
        findings.stripe_failures.extend(check.problems.drain(..).map(Failure::from));
        check
    });
    findings.database = database_check.map(|mut check: DatabaseCheck| {
        findings.database_failures.extend(check.problems.drain(..).map(Failure::from));
        check
    });
    match context.is_json() {
        true => ui::json(&json::as_json(&findings, args.skip_denied))?,
        false => {
            let all = context.output.verbose > 0;
            let objects = args.objects.join(",");
            let words = match objects.as_str() {
                "" => vec!["backfill"],
                objects => vec!["backfill", "--object", objects],
            };
            let backfill = next_command::on_the_same_account(&words, &context.connection);
            ui::styled(&text::as_text(&findings, args.skip_denied, all, &backfill))?;
        }
    }
    Ok(findings.exit(args.skip_denied))
}

/// Opens the user's database, or the private one if it exists. Otherwise records which private
/// database a backfill would create.
async fn open(database: &DatabaseSettings, findings: &mut Findings) -> Option<OpenDatabase> {
    let DatabaseTarget::Private(dir) = &database.target else {
        return database.target.open().await.ok();
    };
    let mut private = PrivateDatabase { dir: dir.clone(), exists: true, binaries: None };
    if database.target.is_uncreated() {
        private.exists = false;
        match find_binaries().into_iter().next() {
            Some(newest) if newest.major >= OLDEST_MAJOR => private.binaries = Some(newest),
            Some(older) => findings
                .database_failures
                .push(private_postgres::Error::TooOld { found: older.major }.into()),
            None => findings.database_failures.push(private_postgres::Error::NoBinaries.into()),
        }
        findings.database_failures.extend(check_new_directory(dir));
        findings.private = Some(private);
        return None;
    }
    findings.private = Some(private);
    match database.target.open().await {
        Ok(open) => Some(open),
        Err(failure) => {
            findings.database_failures.push(failure);
            None
        }
    }
}

fn bad_name(error: stripe_sync::BadName) -> Failure {
    Failure::new(error.to_string())
}
