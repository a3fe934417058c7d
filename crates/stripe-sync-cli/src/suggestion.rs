//! Suggests an existing name for a mistyped one.

/// The name most similar to `typed`, if it is similar enough to be the intended one.
pub(crate) fn closest_match<'a>(typed: &str, names: &[&'a str]) -> Option<&'a str> {
    const MIN_SIMILARITY: f64 = 0.75;
    let typed = typed.to_ascii_lowercase();
    names
        .iter()
        .map(|name| (strsim::normalized_damerau_levenshtein(&typed, name), *name))
        .filter(|(similarity, _)| *similarity >= MIN_SIMILARITY)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_name_is_matched_and_an_unrelated_one_is_not() {
        let names = ["customer", "charge", "checkout.session", "invoice"];
        assert_eq!(closest_match("custmer", &names), Some("customer"));
        assert_eq!(closest_match("Chargse", &names), Some("charge"));
        assert_eq!(closest_match("checkout_sesion", &names), Some("checkout.session"));
        assert_eq!(closest_match("unicorn", &names), None);
    }
}
