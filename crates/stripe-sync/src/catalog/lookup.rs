//! Finds a catalog entry by what users type: the name of an object or table, or an id.

use super::catalog_file::Catalog;
use super::table::Table;

impl Catalog {
    /// A stream by its object, its table, the singular of its table, or an alias of the TypeScript
    /// engines. Dots, hyphens and underscores are equivalent.
    pub(crate) fn stream_by_name(&self, name: &str) -> Option<&Table> {
        let wanted = name.trim().to_ascii_lowercase().replace(['.', '-'], "_");
        self.streams().find(|t| {
            let singular = t.name.strip_suffix('s').unwrap_or(&t.name);
            wanted == t.object.replace('.', "_")
                || wanted == t.name
                || wanted == singular
                || t.aliases.contains(&wanted)
        })
    }

    /// The table of an id, by the longest matching prefix: `sub_sched_1` is a schedule, not a
    /// subscription.
    pub(crate) fn table_by_id(&self, id: &str) -> Option<&Table> {
        self.tables
            .iter()
            .flat_map(|t| t.id_prefixes.iter().map(move |p| (p, t)))
            .filter(|(prefix, _)| id.len() > prefix.len() && id.starts_with(prefix.as_str()))
            .max_by_key(|(prefix, _)| prefix.len())
            .map(|(_, table)| table)
    }

    /// Any table, by the names of [`Catalog::stream_by_name`], its table or its object.
    pub(crate) fn any_by_name(&self, name: &str) -> Option<&Table> {
        let by_table = || self.tables.iter().find(|t| t.name == name || t.object == name);
        self.stream_by_name(name).or_else(by_table)
    }

    /// A table whose objects can be retrieved one by one, by the names of
    /// [`Catalog::any_by_name`].
    pub(crate) fn retrievable_by_name(&self, name: &str) -> Option<&Table> {
        self.any_by_name(name).filter(|t| t.retrieve_path.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_every_object_string_of_the_typescript_engines() {
        for (name, table) in [
            ("customer", "customers"),
            ("subscription_schedules", "subscription_schedules"),
            ("setup_intent", "setup_intents"),
            ("early_fraud_warning", "early_fraud_warnings"),
            ("checkout_sessions", "checkout_sessions"),
            ("checkout.session", "checkout_sessions"),
            ("credit_note", "credit_notes"),
            ("tax_id", "tax_ids"),
            ("features", "features"),
            ("BALANCE_TRANSACTION", "balance_transactions"),
        ] {
            let found = Catalog::get().stream_by_name(name).map(|t| t.name.as_str());
            assert_eq!(found, Some(table), "{name}");
        }
        assert!(Catalog::get().stream_by_name("unicorn").is_none());
        assert!(Catalog::get().stream_by_name("").is_none());
    }

    #[test]
    fn every_stream_has_unique_names() {
        let catalog = Catalog::get();
        for stream in catalog.streams() {
            for name in [stream.object.as_str(), &stream.name] {
                let found = catalog.stream_by_name(name).expect("its own name");
                assert_eq!(found.name, stream.name, "{name}");
            }
        }
    }

    #[test]
    fn the_longest_prefix_wins() {
        for (id, table) in [
            ("sub_1abc", "subscriptions"),
            ("sub_sched_1abc", "subscription_schedules"),
            ("price_1", "prices"),
            ("plan_1", "plans"),
            ("cs_test_a1", "checkout_sessions"),
            ("si_1", "subscription_items"),
            ("dp_1", "disputes"),
            ("du_1", "disputes"),
            ("inpay_1", "invoice_payments"),
            ("in_1", "invoices"),
            ("pyr_1", "refunds"),
        ] {
            let found = Catalog::get().table_by_id(id).map(|t| t.name.as_str());
            assert_eq!(found, Some(table), "{id}");
        }
        assert!(Catalog::get().table_by_id("gold").is_none());
        assert!(Catalog::get().table_by_id("cus_").is_none());
    }

    #[test]
    fn every_prefix_belongs_to_one_table() {
        let mut seen = std::collections::HashMap::new();
        for table in &Catalog::get().tables {
            for prefix in &table.id_prefixes {
                if let Some(other) = seen.insert(prefix.as_str(), table.name.as_str()) {
                    // Line items of several kinds share `li_`; none of them can be retrieved.
                    panic!("{prefix} belongs to {other} and {}", table.name);
                }
            }
        }
    }
}
