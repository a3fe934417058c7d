//! Commands that a message suggests. They work as printed: they repeat the options of the current
//! command that select the copy, and are quoted for a shell.

use crate::args::Connection;
use crate::redaction;

/// A command that reads the same copy.
pub(crate) fn on_the_same_copy(words: &[&str], options: &Connection) -> String {
    let dir = options.data_dir.as_ref().map(|dir| dir.to_string_lossy());
    let url = options.database_url.as_deref();
    // The password must not be shown.
    let url = url.map(|url| if redaction::has_password(url) { "..." } else { url });
    let file = options.env_file.as_ref().map(|file| file.to_string_lossy());
    let given = [
        ("--env-file", file.as_deref()),
        ("--database-url", url),
        ("--data-dir", dir.as_deref()),
        ("--schema", options.schema.as_deref()),
        ("--table-prefix", options.table_prefix.as_deref()),
    ];
    format!("stripe-sync {}", join(words, &given))
}

/// A command that also reads from Stripe.
pub(crate) fn on_the_same_account(words: &[&str], options: &Connection) -> String {
    let given = [
        ("--account", options.account.as_deref()),
        ("--api-base", options.api_base.as_deref()),
        ("--api-version", options.api_version.as_deref()),
        ("--max-rps", options.max_rps.as_deref()),
    ];
    join(&[&on_the_same_copy(words, options)], &given)
}

/// The words as they are, with the quoted values of the options that are given.
fn join(words: &[&str], given: &[(&str, Option<&str>)]) -> String {
    let mut text = words.join(" ");
    for (option, value) in given {
        if let Some(value) = value {
            text.push_str(&format!(" {option} {}", shell_quote(value)));
        }
    }
    text
}

/// The word as a shell reads it.
pub(crate) fn shell_quote(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_./:=@%+,-".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::Args;

    #[test]
    fn options_are_repeated_and_quoted() {
        let options = |args: &[&str]| match Args::try_parse_from(
            ["stripe-sync", "status"].iter().chain(args),
        ) {
            Ok(args) => args.connection,
            Err(error) => panic!("{error}"),
        };
        let none = options(&[]);
        assert_eq!(on_the_same_account(&["status"], &none), "stripe-sync status");
        let some = options(&["--schema", "it's mine", "--data-dir", "a b", "--max-rps=none"]);
        assert_eq!(
            on_the_same_copy(&["query", &shell_quote("select 1")], &some),
            r"stripe-sync query 'select 1' --data-dir 'a b' --schema 'it'\''s mine'"
        );
        assert_eq!(
            on_the_same_account(&["backfill"], &some),
            r"stripe-sync backfill --data-dir 'a b' --schema 'it'\''s mine' --max-rps none"
        );
        let secret = options(&["--database-url", "postgres://u:hunter2@h/x"]);
        assert_eq!(on_the_same_copy(&["status"], &secret), "stripe-sync status --database-url ...");
    }
}
