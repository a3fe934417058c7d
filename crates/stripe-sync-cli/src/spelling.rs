//! What somebody may have meant who typed a name that does not exist.

/// The name that a slip of the finger made this of, if there is one.
pub(crate) fn nearest<'a>(typed: &str, names: &[&'a str]) -> Option<&'a str> {
    const ALIKE: f64 = 0.75;
    let typed = typed.to_ascii_lowercase();
    names
        .iter()
        .map(|name| (strsim::normalized_damerau_levenshtein(&typed, name), *name))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_finger_are_recognised() {
        let names = ["customer", "charge", "checkout.session", "invoice"];
        assert_eq!(nearest("custmer", &names), Some("customer"));
        assert_eq!(nearest("Chargse", &names), Some("charge"));
        assert_eq!(nearest("checkout_sesion", &names), Some("checkout.session"));
        assert_eq!(nearest("unicorn", &names), None);
    }
}
