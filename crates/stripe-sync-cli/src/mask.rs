//! The last line of defence: what looks like a key or a password in a text is cut off before the
//! text is printed. Secrets do not belong into arguments, but people put them there.

const SECRETS: [&str; 7] =
    ["sk_live_", "sk_test_", "rk_live_", "rk_test_", "sk_org_", "whsec_", "password="];

/// The text without keys, webhook secrets and passwords.
pub(crate) fn secrets(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((start, prefix)) = first_secret(rest) {
        let (before, after) = rest.split_at(start + prefix.len());
        masked.push_str(before);
        let end = after.find(ends_secret).unwrap_or(after.len());
        if end > 0 {
            masked.push_str("...");
        }
        rest = &after[end..];
    }
    masked.push_str(rest);
    masked
}

/// As [`secrets`], and without the password of `scheme://user:password@host`. For texts that
/// quote arguments; examples in our own hints keep theirs.
pub(crate) fn arguments(text: &str) -> String {
    let text = secrets(text);
    let mut masked = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(start) = rest.find("://") {
        let (before, after) = rest.split_at(start + 3);
        masked.push_str(before);
        let end = after.find(char::is_whitespace).unwrap_or(after.len());
        let authority = &after[..end];
        match authority.rsplit_once('@').and_then(|(user, _)| user.split_once(':')) {
            Some((user, password)) => {
                masked.push_str(user);
                masked.push_str(":...");
                rest = &after[user.len() + 1 + password.len()..];
            }
            None => rest = after,
        }
    }
    masked.push_str(rest);
    masked
}

/// Whether a database url or keyword string has a password in it.
pub(crate) fn has_password(url: &str) -> bool {
    arguments(url) != url
}

fn first_secret(text: &str) -> Option<(usize, &'static str)> {
    SECRETS.iter().filter_map(|prefix| text.find(prefix).map(|at| (at, *prefix))).min()
}

fn ends_secret(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\'' | '"' | ',' | ')' | '&' | ';')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_passwords_are_cut_off() {
        for (text, shown) in [
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
            assert_eq!(arguments(text), shown);
        }
    }

    #[test]
    fn passwords_are_seen_in_both_forms() {
        assert!(has_password("postgres://u:p@h/x") && has_password("host=h password=p"));
        assert!(!has_password("postgres://u@h/x") && !has_password("host=h user=u"));
    }
}
