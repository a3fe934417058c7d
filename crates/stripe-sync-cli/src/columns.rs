//! Columns to leave out for good or to store again: names checked before anything is touched, and
//! what it changed told.

use stripe_sync::{ColumnError, ColumnName, Config, ExclusionReport, StripeSync};

use crate::args;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::spelling::nearest;
use crate::{number, talk};

const EXCLUDE: &str = "--exclude-column";
const INCLUDE: &str = "--include-column";
const VARIABLE: &str = "STRIPE_SYNC_EXCLUDE_COLUMNS";

/// What was asked for.
pub(crate) struct Choice {
    exclude: Vec<ColumnName>,
    include: Vec<ColumnName>,
}

impl Choice {
    /// Checks names, those of the variable too.
    ///
    /// # Errors
    /// A name is wrong, or one is to be left out and stored.
    pub(crate) fn resolve(typed: &args::Columns, env: &Environment) -> Result<Choice, Failure> {
        let mut exclude = names(&typed.exclude, EXCLUDE)?;
        let include = names(&typed.include, INCLUDE)?;
        let standing: Vec<String> = env.get(VARIABLE).map(str::to_owned).into_iter().collect();
        let standing = names(&standing, VARIABLE)?;
        for (wanted, by) in [(&exclude, EXCLUDE), (&standing, VARIABLE)] {
            if let Some(both) = include.iter().find(|name| wanted.contains(name)) {
                return Err(Failure::usage(format!("{by} and {INCLUDE} both name {both}")));
            }
        }
        exclude.extend(standing);
        Ok(Choice { exclude, include })
    }

    /// For the library.
    pub(crate) fn add_to(&self, config: &mut Config) {
        config.exclude_columns = self.exclude.clone();
    }

    /// Whether there is nothing to do and nothing to tell.
    pub(crate) fn is_empty(&self) -> bool {
        self.exclude.is_empty() && self.include.is_empty()
    }

    /// Stores columns again, and tells so; true if one was left out.
    ///
    /// # Errors
    /// The database cannot be written.
    pub(crate) async fn take_in(&self, sync: &StripeSync) -> Result<bool, Failure> {
        let back = sync.include_columns(&self.include).await?;
        if !back.is_empty() {
            talk::note(&format!("stored again from now on: {}", listed(&back)));
        }
        Ok(!back.is_empty())
    }
}

/// Tells what leaving out has changed, if anything.
pub(crate) fn tell(left_out: &ExclusionReport) {
    if !left_out.columns.is_empty() {
        talk::note(&format!(
            "left out for good: {}; {INCLUDE} stores them again",
            listed(&left_out.columns)
        ));
    }
    if !left_out.also.is_empty() {
        talk::note(&format!(
            "columns of the same property lose it too: {}",
            listed(&left_out.also)
        ));
    }
    if left_out.cleared_rows > 0 {
        talk::note(&format!(
            "cleared in {}; old row versions keep the values until: vacuum analyze",
            number::of(left_out.cleared_rows, "stored row")
        ));
    }
}

/// As a list in a sentence.
pub(crate) fn listed(columns: &[ColumnName]) -> String {
    columns.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn names(given: &[String], by: &str) -> Result<Vec<ColumnName>, Failure> {
    let texts = given.iter().flat_map(|text| text.split(',')).map(str::trim);
    texts.map(|text| ColumnName::parse(text).map_err(|e| failure(&e).about(by))).collect()
}

fn failure(error: &ColumnError) -> Failure {
    let (known, near): (Vec<&str>, _) = match error {
        ColumnError::Form(_) => {
            return Failure::with_advice(crate::exit::Exit::Usage, error);
        }
        ColumnError::Needed { .. } => return Failure::usage(error.to_string()),
        ColumnError::Table(table) => {
            let known = stripe_sync::tables();
            let near = nearest(table, &known);
            (known, near)
        }
        ColumnError::Column { table, column } => {
            let known = stripe_sync::columns_of(table).unwrap_or_default();
            let near = nearest(column, &known);
            (known, near)
        }
    };
    let what = match error {
        ColumnError::Table(_) => "the tables are".to_owned(),
        _ => "the columns that can be left out are".to_owned(),
    };
    let message = match near {
        Some(near) => format!("{error}; did you mean {near}?"),
        None => error.to_string(),
    };
    Failure::usage(message).hint(format!("{what}\n{}", talk::wrapped(&known)))
}
