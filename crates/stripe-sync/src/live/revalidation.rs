//! Objects that are always fetched instead of being stored from the event.

use std::collections::BTreeSet;

use crate::catalog::{Catalog, Table};
use crate::error::{Error, ErrorKind};

/// Checks the names of such objects.
///
/// # Errors
/// A name that belongs to no object and no table.
pub(crate) fn check_revalidate(names: &BTreeSet<String>) -> Result<(), Error> {
    match names.iter().find(|name| find(name).is_none()) {
        None => Ok(()),
        Some(name) => {
            let message = format!("{name:?} is not an object that can be revalidated");
            let hint = "give names of objects or tables, such as invoice,charge";
            Err(Error::new(ErrorKind::Usage, message).with_hint(hint))
        }
    }
}

/// Whether the objects of a table are among them. An object that cannot be fetched alone is stored
/// from the event.
pub(super) fn is_revalidated(table: &Table, names: &BTreeSet<String>) -> bool {
    let is_named = |name: &String| find(name).is_some_and(|named| named.name == table.name);
    table.retrieve_path.is_some() && names.iter().any(is_named)
}

fn find(name: &str) -> Option<&'static Table> {
    match name {
        // The name that the TypeScript engines use.
        "entitlements" => Catalog::get().table("active_entitlements"),
        _ => Catalog::get().any_by_name(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> BTreeSet<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn every_name_of_the_typescript_engines_is_accepted() {
        let all = "charge credit_note customer dispute invoice payment_intent payment_method plan \
                   price product refund review radar.early_fraud_warning setup_intent subscription \
                   subscription_schedule tax_id entitlements";
        check_revalidate(&names(all)).expect("known names");
        let error = check_revalidate(&names("invoice unicorn")).expect_err("an unknown name");
        assert!(error.to_string().contains("unicorn") && error.hint().is_some(), "{error}");
    }

    #[test]
    fn an_object_can_be_named_by_its_object_its_table_or_an_alias() {
        let table = |name| Catalog::get().table(name).expect("a table");
        let warnings = table("early_fraud_warnings");
        for name in ["radar.early_fraud_warning", "early_fraud_warning", "early_fraud_warnings"] {
            assert!(is_revalidated(warnings, &names(name)), "{name}");
        }
        assert!(!is_revalidated(warnings, &names("charge review")));
        let items = table("invoice_line_items");
        assert!(items.retrieve_path.is_none() && !is_revalidated(items, &names(&items.name)));
    }
}
