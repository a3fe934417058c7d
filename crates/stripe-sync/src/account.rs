//! Whose data this is: a Stripe account, and the mode of its key, live or test.

use std::fmt;

/// Live and test mode share one `acct_` id but never one schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Real money.
    Live,
    /// Test mode or a sandbox.
    Test,
}

impl Mode {
    /// `live` or `test`, as stored and printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Live => "live",
            Mode::Test => "test",
        }
    }

    /// The inverse of [`Mode::as_str`].
    pub(crate) fn parse(text: &str) -> Option<Mode> {
        match text {
            "live" => Some(Mode::Live),
            "test" => Some(Mode::Test),
            _ => None,
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An `acct_...` id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId(String);

impl AccountId {
    /// Accepts `acct_` followed by letters and digits, at most 255 bytes.
    pub fn parse(text: &str) -> Option<AccountId> {
        let suffix = text.strip_prefix("acct_")?;
        let fits = !suffix.is_empty()
            && text.len() <= 255
            && suffix.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        fits.then(|| AccountId(text.to_owned()))
    }

    /// The id as Stripe writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
