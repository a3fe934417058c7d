//! Makes texts from Stripe safe to log and display: without secrets, short, and on one line.

/// Maximum length of a message, in bytes.
const MAX_LENGTH: usize = 400;

/// Prefixes of words that contain a secret.
const PREFIXES: [&str; 6] = ["sk_", "rk_", "pk_", "ek_", "uk_", "whsec_"];

/// Prefixes of secrets that are found even inside a word, as after `%20`.
const INFIXES: [&str; 6] = ["sk_live_", "sk_test_", "sk_org_", "rk_live_", "rk_test_", "whsec_"];

/// Replaces every word that looks like a key by its prefix, truncates client secrets
/// (`.._secret_..`), replaces control characters by spaces and limits the length.
pub(super) fn mask(text: &str) -> String {
    let mut masked = String::with_capacity(text.len().min(MAX_LENGTH));
    let mut rest = text;
    while !rest.is_empty() && masked.len() < MAX_LENGTH {
        let word = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        push_word(&rest[..word], &mut masked);
        rest = &rest[word..];
        if let Some(separator) = rest.chars().next() {
            masked.push(if separator.is_control() { ' ' } else { separator });
            rest = &rest[separator.len_utf8()..];
        }
    }
    if masked.len() > MAX_LENGTH || !rest.is_empty() {
        let is_boundary = |end: &usize| masked.is_char_boundary(*end);
        masked.truncate((0..=MAX_LENGTH.min(masked.len())).rev().find(is_boundary).unwrap_or(0));
        masked.push_str("...");
    }
    masked
}

/// The first word of a text that begins with a prefix, such as `rak_` or `acct_`.
pub(super) fn word_with_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .find(|word| word.len() > prefix.len() && word.starts_with(prefix))
}

/// The quoted text right before `end`, as in `Having the 'credit_note_read' permission would ...`
/// or `the "Credit notes: Read" permission`.
pub(super) fn quoted_before<'a>(text: &'a str, end: &str) -> Option<&'a str> {
    text.match_indices(end).find_map(|(at, _)| {
        let before = &text[..at];
        let quote = before.chars().next_back().filter(|c| matches!(c, '\'' | '"' | '`'))?;
        let inner = &before[..before.len() - 1];
        let quoted = &inner[inner.rfind(quote)? + 1..];
        (!quoted.is_empty() && quoted.len() <= 100).then_some(quoted)
    })
}

/// Stripe itself abbreviates keys with stars and dots, as in `rk_test_***abcd`.
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '*' | '-')
}

fn push_word(word: &str, masked: &mut String) {
    let at_start = PREFIXES.into_iter().find(|prefix| word.starts_with(prefix)).map(str::len);
    let inside = || INFIXES.iter().filter_map(|s| Some(word.find(s)? + s.len())).min();
    if let Some(shown) = at_start.or_else(inside) {
        masked.push_str(&word[..shown]);
        masked.push_str("...");
    } else if let Some((id, _)) = word.split_once("_secret_") {
        masked.push_str(id);
        masked.push_str("_secret_...");
    } else {
        masked.push_str(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked() {
        for (text, masked) in [
            ("Invalid API Key provided: sk_test_****SeCr", "Invalid API Key provided: sk_..."),
            ("key 'rk_live_abc' (pk_1, whsec_2).", "key 'rk_...' (pk_..., whsec_...)."),
            ("task_1 risk_score desk_9", "task_1 risk_score desk_9"),
            ("No such intent: 'pi_1_secret_SeCr'", "No such intent: 'pi_1_secret_...'"),
            ("two\nlines\u{1b}[31m", "two lines [31m"),
            ("Bearer sk_live_1", "Bearer sk_..."),
            ("sk_live_1sk_live_2", "sk_..."),
            ("\u{e9}sk_live_1", "\u{e9}sk_..."),
            ("a%20sk_live_1 20rk_test_2", "a%20sk_live_... 20rk_test_..."),
            ("", ""),
        ] {
            assert_eq!(mask(text), masked);
        }
    }

    #[test]
    fn long_messages_are_truncated_between_characters() {
        for text in ["\u{20ac}".repeat(1_000), "a".repeat(1_000), "a \u{20ac}".repeat(1_000)] {
            let masked = mask(&text);
            assert!(masked.len() <= MAX_LENGTH + 3 && masked.ends_with("..."), "{}", masked.len());
        }
        assert_eq!(mask(&"a".repeat(MAX_LENGTH)).len(), MAX_LENGTH);
        assert!(!mask(&format!("{} sk_live_SeCr", "a".repeat(MAX_LENGTH - 5))).contains("SeCr"));
    }

    #[test]
    fn permissions_are_found_in_every_wording() {
        for (text, expected) in [
            ("Having the 'credit_note_read' permission would allow this", Some("credit_note_read")),
            ("needs the \"Credit notes: Read\" permission.", Some("Credit notes: Read")),
            ("the required permissions for this endpoint on account 'acct_1'", None),
            ("the '' permission", None),
        ] {
            assert_eq!(quoted_before(text, " permission"), expected, "{text}");
        }
    }

    #[test]
    fn words_are_found_by_their_prefix() {
        let text = "account 'acct_1Ab'. Having the 'rak_charge_read' permission would";
        assert_eq!(word_with_prefix(text, "rak_"), Some("rak_charge_read"));
        assert_eq!(word_with_prefix(text, "acct_"), Some("acct_1Ab"));
        assert_eq!(word_with_prefix("'acct_..'", "acct_"), None);
    }
}
