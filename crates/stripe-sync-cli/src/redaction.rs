//! Removes keys and passwords from every text before it is printed. Secrets do not belong in
//! arguments, but users put them there.

const SECRET_PREFIXES: [&str; 7] =
    ["sk_live_", "sk_test_", "rk_live_", "rk_test_", "sk_org_", "whsec_", "password="];

/// The text without keys, webhook secrets and passwords.
pub(crate) fn redact_secrets(text: &str) -> String {
    let mut redacted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((start, prefix)) = first_secret(rest) {
        let (before, after) = rest.split_at(start + prefix.len());
        redacted.push_str(before);
        let end = after.find(ends_secret).unwrap_or(after.len());
        if end > 0 {
            redacted.push_str("...");
        }
        rest = &after[end..];
    }
    redacted.push_str(rest);
    redacted
}

/// Like [`redact_secrets`], and also removes the password of `scheme://user:password@host`. For
/// texts that quote arguments; the example URLs in our own hints must keep their passwords.
pub(crate) fn redact_arguments(text: &str) -> String {
    let text = redact_secrets(text);
    let mut redacted = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(start) = rest.find("://") {
        let (before, after) = rest.split_at(start + 3);
        redacted.push_str(before);
        let end = after.find(char::is_whitespace).unwrap_or(after.len());
        let authority = &after[..end];
        match authority.rsplit_once('@').and_then(|(user, _)| user.split_once(':')) {
            Some((user, password)) => {
                redacted.push_str(user);
                redacted.push_str(":...");
                rest = &after[user.len() + 1 + password.len()..];
            }
            None => rest = after,
        }
    }
    redacted.push_str(rest);
    redacted
}

/// Whether a database URL or keyword string contains a password.
pub(crate) fn has_password(url: &str) -> bool {
    redact_arguments(url) != url
}

fn first_secret(text: &str) -> Option<(usize, &'static str)> {
    SECRET_PREFIXES.iter().filter_map(|prefix| text.find(prefix).map(|at| (at, *prefix))).min()
}

fn ends_secret(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\'' | '"' | ',' | ')' | '&' | ';')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_passwords_are_removed() {
        for (text, expected) in [
            (
                "unexpected argument 'sk_live_abcDEF123' found",
                "unexpected argument 'sk_live_...' found",
            ),
            ("rk_test_1 and whsec_2", "rk_test_... and whsec_..."),
            (
                "it begins with sk_live_, sk_test_ or (sk_...)",
                "it begins with sk_live_, sk_test_ or (sk_...)",
            ),
            ("host=db password=hunter2 user=u", "host=db password=... user=u"),
            ("postgres://u:hun@ter2@db/x?a=b", "postgres://u:...@db/x?a=b"),
            ("postgres://u@db:5432/x", "postgres://u@db:5432/x"),
            ("postgres:///x?host=/tmp&password=hunter2", "postgres:///x?host=/tmp&password=..."),
            ("https://api.stripe.com", "https://api.stripe.com"),
        ] {
            assert_eq!(redact_arguments(text), expected);
        }
    }

    #[test]
    fn passwords_are_found_in_urls_and_keyword_strings() {
        assert!(has_password("postgres://u:p@h/x") && has_password("host=h password=p"));
        assert!(!has_password("postgres://u@h/x") && !has_password("host=h user=u"));
    }
}
