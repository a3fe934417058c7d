//! The whole catalog, read from `catalog.json`.

use std::sync::OnceLock;

use serde::Deserialize;

use super::table::Table;

/// All tables, and the API version whose objects they hold.
#[derive(Debug, Deserialize)]
pub(crate) struct Catalog {
    pub(crate) api_version: String,
    revision: u32,
    pub(crate) tables: Vec<Table>,
}

impl Catalog {
    /// The catalog of this build.
    pub(crate) fn get() -> &'static Catalog {
        static CATALOG: OnceLock<Catalog> = OnceLock::new();
        CATALOG.get_or_init(|| {
            serde_json::from_str(include_str!("catalog.json"))
                .expect("the checked-in catalog is valid; a test loads it")
        })
    }

    /// The version of this catalog. A run resumes only with the version it started with.
    pub(crate) fn version(&self) -> String {
        format!("{}/{}", self.api_version, self.revision)
    }

    /// The tables that have a list endpoint.
    pub(crate) fn streams(&self) -> impl Iterator<Item = &Table> {
        self.tables.iter().filter(|t| t.list.is_some())
    }

    pub(crate) fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|t| t.name == name)
    }
}

impl Table {
    /// The table of the parent objects, if this table holds the items of their nested list.
    pub(crate) fn parent_table(&self) -> Option<&'static Table> {
        self.parent.as_ref()?;
        let has_list = |t: &&Table| t.nested.iter().any(|n| n.table.as_ref() == Some(&self.name));
        Catalog::get().tables.iter().find(has_list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::source::Source;

    #[test]
    fn has_all_streams_and_their_nested_tables() {
        let catalog = Catalog::get();
        assert_eq!(catalog.streams().count(), 74);
        for table in &catalog.tables {
            assert!(table.columns.iter().any(|c| c.name == "id"), "{}", table.name);
            for nested in table.nested.iter().filter_map(|n| n.table.as_deref()) {
                let child = catalog.table(nested).expect("the table of a nested list");
                let parent = child.parent.as_ref().expect("a nested table names its parent");
                assert!(child.columns.iter().any(|c| c.name == parent.column));
            }
            for index in &table.indexes {
                assert!(table.columns.iter().any(|c| c.name == *index), "{}.{index}", table.name);
            }
        }
    }

    #[test]
    fn lists_are_split_only_where_every_object_has_a_time() {
        let can_be_split = |name: &str| {
            let list = Catalog::get().table(name).and_then(|t| t.list.as_ref());
            list.expect("a stream").can_be_split()
        };
        assert!(can_be_split("customers") && can_be_split("invoiceitems"));
        assert!(!can_be_split("payment_methods"), "no filter");
        assert!(!can_be_split("accounts"), "`created` is optional");
    }

    #[test]
    fn moved_columns_keep_a_source() {
        let invoices = Catalog::get().table("invoices").expect("invoices");
        let subscription = invoices.columns.iter().find(|c| c.name == "subscription");
        assert_eq!(
            subscription.expect("column").from,
            [
                Source::parse("subscription").expect("path"),
                Source::parse("parent.subscription_details.subscription").expect("path"),
            ]
        );
    }
}
