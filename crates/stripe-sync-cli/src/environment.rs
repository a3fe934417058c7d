//! The environment variables of this program, from the process and from `--env-file`, read once. An empty variable counts as unset, as in
//! shells and compose files that pass `VAR=`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use crate::env_file;
use crate::failure::Failure;

const VARIABLES: [&str; 17] = [
    "DATABASE_URL",
    "STRIPE_SYNC_DATA",
    "SCHEMA",
    "TABLE_PREFIX",
    "STRIPE_SECRET_KEY",
    "STRIPE_API_KEY",
    "STRIPE_SECRET_KEY_FILE",
    "STRIPE_ACCOUNT_ID",
    "STRIPE_API_BASE",
    "STRIPE_API_VERSION",
    "REVALIDATE_OBJECTS_VIA_STRIPE_API",
    "STRIPE_SYNC_EXCLUDE_COLUMNS",
    "MAX_POSTGRES_CONNECTIONS",
    "STRIPE_SYNC_WAIT_FOR_DATABASE",
    "PGSSLROOTCERT",
    "XDG_DATA_HOME",
    "HOME",
];

/// A snapshot of the variables.
pub(crate) struct Environment(BTreeMap<&'static str, String>);

/// A value with the name of the option or variable that set it, for messages.
pub(crate) struct SettingValue<'a> {
    /// The value as typed.
    pub(crate) text: &'a str,
    /// `--schema` or `SCHEMA`, for example.
    pub(crate) name: &'static str,
}

impl Environment {
    /// Reads the variables of this process, and from the file those that the process does not have.
    ///
    /// # Errors
    /// One of them is not UTF-8, or the file cannot be used.
    pub(crate) fn read(file: Option<&Path>) -> Result<Environment, Failure> {
        let mut environment = Environment::read_with(|name| std::env::var_os(name))?;
        if let Some(file) = file {
            let mut values = env_file::read(file)?;
            for name in VARIABLES {
                let value = values.remove(name).filter(|value| !value.is_empty());
                if let Some(value) = value {
                    environment.0.entry(name).or_insert(value);
                }
            }
        }
        Ok(environment)
    }

    fn read_with(value: impl Fn(&str) -> Option<OsString>) -> Result<Environment, Failure> {
        let mut values = BTreeMap::new();
        for name in VARIABLES {
            let Some(value) = value(name).filter(|value| !value.is_empty()) else { continue };
            let text =
                value.into_string().map_err(|_| Failure::usage(format!("{name} is not UTF-8")))?;
            values.insert(name, text);
        }
        Ok(Environment(values))
    }

    /// The variable's value, if it is set and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The option's value, or the variable's if the option is absent.
    pub(crate) fn option_or_variable<'a>(
        &'a self,
        option: Option<&'a str>,
        option_name: &'static str,
        variable: &'static str,
    ) -> Option<SettingValue<'a>> {
        match option {
            Some(text) => Some(SettingValue { text, name: option_name }),
            None => self.get(variable).map(|text| SettingValue { text, name: variable }),
        }
    }
}

#[cfg(test)]
pub(crate) fn from_pairs(pairs: &[(&str, &str)]) -> Environment {
    let value = |name: &str| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| v.into());
    Environment::read_with(value).expect("UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_override_variables_and_empty_variables_are_unset() {
        let environment =
            from_pairs(&[("SCHEMA", "billing"), ("TABLE_PREFIX", ""), ("UNKNOWN", "x")]);
        let value = |option, name, variable| {
            let value = environment.option_or_variable(option, name, variable)?;
            Some((value.text, value.name))
        };
        assert_eq!(value(Some(""), "--schema", "SCHEMA"), Some(("", "--schema")));
        assert_eq!(value(None, "--schema", "SCHEMA"), Some(("billing", "SCHEMA")));
        assert_eq!(value(None, "--table-prefix", "TABLE_PREFIX"), None);
        assert!(environment.get("UNKNOWN").is_none());
    }
}
