//! `--exclude-column` and `--include-column`: checks the names before anything is changed, and
//! reports what was changed.

use stripe_sync::{ColumnError, ColumnName, Config, ExclusionReport, StripeSync};

use crate::args::ColumnOptions;
use crate::environment::Environment;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::suggestion::closest_match;
use crate::{number, ui};

const EXCLUDE: &str = "--exclude-column";
const INCLUDE: &str = "--include-column";
const VARIABLE: &str = "STRIPE_SYNC_EXCLUDE_COLUMNS";

/// The columns to exclude and to include again.
pub(crate) struct ColumnChanges {
    exclude: Vec<ColumnName>,
    include: Vec<ColumnName>,
}

impl ColumnChanges {
    /// Checks the names in the options and in the variable.
    ///
    /// # Errors
    /// A name is invalid, or a column is to be both excluded and included.
    pub(crate) fn resolve(
        args: &ColumnOptions,
        env: &Environment,
    ) -> Result<ColumnChanges, Failure> {
        let mut exclude = parse_names(&args.exclude, EXCLUDE)?;
        let include = parse_names(&args.include, INCLUDE)?;
        let from_variable: Vec<String> = env.get(VARIABLE).map(str::to_owned).into_iter().collect();
        let from_variable = parse_names(&from_variable, VARIABLE)?;
        for (excluded, setting) in [(&exclude, EXCLUDE), (&from_variable, VARIABLE)] {
            if let Some(both) = include.iter().find(|name| excluded.contains(name)) {
                return Err(Failure::usage(format!("{setting} and {INCLUDE} both name {both}")));
            }
        }
        exclude.extend(from_variable);
        Ok(ColumnChanges { exclude, include })
    }

    /// Adds the columns to exclude to the library's configuration.
    pub(crate) fn add_to(&self, config: &mut Config) {
        config.exclude_columns = self.exclude.clone();
    }

    /// Whether no column is to be excluded or included.
    pub(crate) fn is_empty(&self) -> bool {
        self.exclude.is_empty() && self.include.is_empty()
    }

    /// Includes columns again and reports it. True if one of them was excluded before.
    ///
    /// # Errors
    /// The database cannot be written to.
    pub(crate) async fn include(&self, sync: &StripeSync) -> Result<bool, Failure> {
        let included = sync.include_columns(&self.include).await?;
        if !included.is_empty() {
            ui::note(&format!("included again: {}", list(&included)));
        }
        Ok(!included.is_empty())
    }
}

/// Reports what excluding columns has changed, if anything.
pub(crate) fn report_exclusions(report: &ExclusionReport) {
    if !report.columns.is_empty() {
        ui::note(&format!(
            "permanently excluded: {}; to store a column again, use {INCLUDE}",
            list(&report.columns)
        ));
    }
    if !report.also.is_empty() {
        ui::note(&format!(
            "also affected, because they contain the same data: {}",
            list(&report.also)
        ));
    }
    if report.cleared_rows > 0 {
        ui::note(&format!(
            "cleared in {}; to remove the values from old row versions too, run: vacuum analyze",
            number::quantity(report.cleared_rows, "stored row")
        ));
    }
}

/// The names, separated by commas.
pub(crate) fn list(columns: &[ColumnName]) -> String {
    columns.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn parse_names(values: &[String], setting: &str) -> Result<Vec<ColumnName>, Failure> {
    let names = values.iter().flat_map(|value| value.split(',')).map(str::trim);
    names.map(|name| ColumnName::parse(name).map_err(|e| failure(&e).in_setting(setting))).collect()
}

fn failure(error: &ColumnError) -> Failure {
    let (known, suggestion, intro) = match error {
        ColumnError::Form(_) => return Failure::split_hint(Exit::Usage, error),
        ColumnError::Needed { .. } => return Failure::usage(error.to_string()),
        ColumnError::Table(table) => {
            let known = stripe_sync::tables();
            let suggestion = closest_match(table, &known);
            (known, suggestion, "the tables are")
        }
        ColumnError::Column { table, column } => {
            let known = stripe_sync::columns_of(table).unwrap_or_default();
            let suggestion = closest_match(column, &known);
            (known, suggestion, "the columns that can be excluded are")
        }
    };
    let message = match suggestion {
        Some(suggestion) => format!("{error}; did you mean {suggestion}?"),
        None => error.to_string(),
    };
    Failure::usage(message).with_hint(format!("{intro}\n{}", ui::wrapped(&known)))
}
