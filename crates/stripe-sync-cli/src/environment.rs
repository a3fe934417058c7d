//! The environment variables we know, read once. An empty one counts as unset, as in shells and
//! compose files that pass `VAR=`.

use std::collections::BTreeMap;
use std::ffi::OsString;

use crate::failure::Failure;

const KNOWN: [&str; 13] = [
    "DATABASE_URL",
    "STRIPE_SYNC_DATA",
    "SCHEMA",
    "TABLE_PREFIX",
    "STRIPE_SECRET_KEY",
    "STRIPE_API_KEY",
    "STRIPE_ACCOUNT_ID",
    "STRIPE_API_BASE",
    "STRIPE_API_VERSION",
    "STRIPE_SYNC_EXCLUDE_COLUMNS",
    "MAX_POSTGRES_CONNECTIONS",
    "XDG_DATA_HOME",
    "HOME",
];

/// A snapshot of the variables.
pub(crate) struct Environment(BTreeMap<&'static str, String>);

/// A value and the option or variable it came from, for messages.
pub(crate) struct Given<'a> {
    /// As typed.
    pub(crate) text: &'a str,
    /// `--schema` or `SCHEMA`.
    pub(crate) by: &'static str,
}

impl Environment {
    /// Reads this process's variables.
    ///
    /// # Errors
    /// One of them is not UTF-8.
    pub(crate) fn read() -> Result<Environment, Failure> {
        Environment::from(|name| std::env::var_os(name))
    }

    fn from(value: impl Fn(&str) -> Option<OsString>) -> Result<Environment, Failure> {
        let mut known = BTreeMap::new();
        for name in KNOWN {
            let Some(value) = value(name).filter(|value| !value.is_empty()) else { continue };
            let text =
                value.into_string().map_err(|_| Failure::usage(format!("{name} is not UTF-8")))?;
            known.insert(name, text);
        }
        Ok(Environment(known))
    }

    /// The variable's value, if it is set and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The option's value, else the variable's.
    pub(crate) fn or<'a>(
        &'a self,
        option: Option<&'a str>,
        option_name: &'static str,
        variable: &'static str,
    ) -> Option<Given<'a>> {
        match option {
            Some(text) => Some(Given { text, by: option_name }),
            None => self.get(variable).map(|text| Given { text, by: variable }),
        }
    }
}

#[cfg(test)]
pub(crate) fn of(pairs: &[(&str, &str)]) -> Environment {
    let value = |name: &str| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| v.into());
    Environment::from(value).expect("UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_win_and_empty_variables_are_unset() {
        let environment = of(&[("SCHEMA", "billing"), ("TABLE_PREFIX", ""), ("UNKNOWN", "x")]);
        let given = environment.or(Some(""), "--schema", "SCHEMA").expect("the option");
        assert_eq!((given.text, given.by), ("", "--schema"));
        let given = environment.or(None, "--schema", "SCHEMA").expect("the variable");
        assert_eq!((given.text, given.by), ("billing", "SCHEMA"));
        assert!(environment.or(None, "--table-prefix", "TABLE_PREFIX").is_none());
        assert!(environment.get("UNKNOWN").is_none());
    }
}
