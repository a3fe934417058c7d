//! The values that are not stored because a column is excluded. Pure.
//!
//! A column shows a property, and the same property can occur in several paths: in the other
//! sources of the column (`charges.destination` is also `transfer_data.destination`), in the list
//! of a parent and in the table of its items, and wherever else an object of the type is embedded,
//! such as in an event. All of them are excluded together. Excluding a computed column (`sum`,
//! `equals`) excludes no property, because the properties it is computed from are other columns.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::catalog_file::Catalog;
use super::column_name::ColumnName;
use super::source::{Each, Source};
use super::table::{Column, Nested, Table};

/// One step of a path to a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// The value of this key.
    Key(String),
    /// Each element of an array.
    Each,
}

/// The path to a value from the top of an object.
pub(crate) type ValuePath = Vec<Step>;

/// The columns that are excluded from a copy, and the values that are excluded with them.
#[derive(Debug, Default)]
pub(crate) struct Exclusions {
    columns: BTreeMap<String, BTreeSet<String>>,
    of_table: HashMap<String, Vec<ValuePath>>,
    of_object: HashMap<String, Vec<ValuePath>>,
}

impl Exclusions {
    /// Creates the exclusions for these columns. A column that is not in this catalog excludes the
    /// property of that name.
    pub(crate) fn new(names: &[ColumnName]) -> Exclusions {
        let catalog = Catalog::get();
        let mut columns: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut paths: BTreeMap<String, BTreeSet<ValuePath>> = BTreeMap::new();
        for ColumnName { table, column } in names {
            columns.entry(table.clone()).or_default().insert(column.clone());
            let own = [vec![Step::Key(column.clone())]];
            let found =
                catalog.table(table).and_then(|t| t.columns.iter().find(|c| c.name == *column));
            let copies = found.into_iter().flat_map(|c| &c.from).filter_map(copied_path);
            paths.entry(table.clone()).or_default().extend(own.into_iter().chain(copies));
        }
        // The items of a list are in their parent and in their own table.
        for (table, nested, child) in nested_tables(catalog) {
            let prefix = items_path(nested);
            let of_parent = paths.get(&table.name).into_iter().flatten();
            let down: Vec<ValuePath> = of_parent
                .filter_map(|path| path.strip_prefix(prefix.as_slice()))
                .filter(|rest| !rest.is_empty())
                .map(<[Step]>::to_vec)
                .collect();
            let of_child = paths.get(&child.name).into_iter().flatten();
            let up: Vec<ValuePath> =
                of_child.map(|path| [prefix.as_slice(), path].concat()).collect();
            for (name, more) in [(&child.name, down), (&table.name, up)] {
                if !more.is_empty() {
                    paths.entry(name.clone()).or_default().extend(more);
                }
            }
        }
        let mut of_object: HashMap<String, Vec<ValuePath>> = HashMap::new();
        for (name, paths) in &paths {
            if let Some(table) = catalog.table(name) {
                of_object.entry(table.object.clone()).or_default().extend(paths.iter().cloned());
            }
        }
        let of_table = paths.into_iter().map(|(t, paths)| (t, paths.into_iter().collect()));
        Exclusions { columns, of_table: of_table.collect(), of_object }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// Whether the column itself is excluded, whatever the source of its value is.
    pub(crate) fn has(&self, table: &str, column: &str) -> bool {
        self.columns.get(table).is_some_and(|columns| columns.contains(column))
    }

    /// The values to remove from the objects of a table.
    pub(crate) fn of_table(&self, table: &str) -> &[ValuePath] {
        self.of_table.get(table).map_or(&[], Vec::as_slice)
    }

    /// The tables with values to remove.
    pub(crate) fn tables(&self) -> impl Iterator<Item = &str> {
        self.of_table.keys().map(String::as_str)
    }

    /// The values to remove from objects of a type that are embedded in others.
    pub(crate) fn of_object(&self, object: &str) -> &[ValuePath] {
        self.of_object.get(object).map_or(&[], Vec::as_slice)
    }

    /// The object types with values to remove.
    pub(crate) fn objects(&self) -> impl Iterator<Item = &str> {
        self.of_object.keys().map(String::as_str)
    }

    /// Whether a column that is not excluded shows an excluded value or is computed from one.
    pub(crate) fn affects(&self, table: &Table, column: &Column) -> bool {
        let paths = self.of_table(&table.name);
        let covers = |path: &ValuePath| paths.iter().any(|excluded| path.starts_with(excluded));
        !self.has(&table.name, &column.name)
            && column.from.iter().filter_map(source_path).any(|path| covers(&path))
    }

    /// The columns for which [`Exclusions::affects`] is true.
    pub(crate) fn affected(&self) -> Vec<ColumnName> {
        let catalog = Catalog::get();
        let all = catalog.tables.iter().flat_map(|t| t.columns.iter().map(move |c| (t, c)));
        all.filter(|(table, column)| self.affects(table, column))
            .map(|(t, c)| ColumnName { table: t.name.clone(), column: c.name.clone() })
            .collect()
    }
}

/// Each nested list whose items have a table: the parent's table, the list, the items' table.
fn nested_tables(
    catalog: &'static Catalog,
) -> impl Iterator<Item = (&'static Table, &'static Nested, &'static Table)> {
    catalog.tables.iter().flat_map(move |table| {
        table.nested.iter().filter_map(move |nested| {
            Some((table, nested, catalog.table(nested.table.as_deref()?)?))
        })
    })
}

/// The path to the items of a nested list.
fn items_path(nested: &Nested) -> ValuePath {
    let keys = nested.path.split('.').chain(["data"]).map(|key| Step::Key(key.to_owned()));
    keys.chain([Step::Each]).collect()
}

/// The path of the value that a source copies.
fn copied_path(source: &Source) -> Option<ValuePath> {
    match source {
        Source::Path(_)
        | Source::First(_)
        | Source::Only(_)
        | Source::Ids(_)
        | Source::TaxAmounts(_) => source_path(source),
        Source::Equals(..) | Source::Sum(_) | Source::Parent | Source::False => None,
    }
}

/// The path of the value that a source reads.
fn source_path(source: &Source) -> Option<ValuePath> {
    let keys = |path: &[String]| path.iter().cloned().map(Step::Key).collect::<ValuePath>();
    let each = |each: &Each| [keys(&each.list), vec![Step::Each], keys(&each.item)].concat();
    match source {
        Source::Path(path) | Source::Equals(path, _) | Source::TaxAmounts(path) => Some(keys(path)),
        Source::Sum(e) | Source::First(e) | Source::Only(e) | Source::Ids(e) => Some(each(e)),
        Source::Parent | Source::False => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(names: &[&str]) -> Exclusions {
        let names: Vec<_> = names.iter().map(|n| ColumnName::parse(n).expect("a name")).collect();
        Exclusions::new(&names)
    }

    fn paths(rules: &Exclusions, table: &str) -> Vec<String> {
        let word = |step: &Step| match step {
            Step::Key(key) => key.clone(),
            Step::Each => "[]".to_owned(),
        };
        let text = |p: &ValuePath| p.iter().map(word).collect::<Vec<_>>().join(".");
        rules.of_table(table).iter().map(text).collect()
    }

    fn affected(names: &[&str]) -> Vec<String> {
        rules(names).affected().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_copied_source_is_excluded() {
        let left = rules(&["invoices.subscription", "invoices.paid", "invoices.tax"]);
        assert_eq!(
            paths(&left, "invoices"),
            ["paid", "parent.subscription_details.subscription", "subscription", "tax"]
        );
        assert!(left.has("invoices", "paid") && !left.has("invoices", "status"));
        assert!(left.of_table("customers").is_empty());
    }

    #[test]
    fn items_are_excluded_in_their_parents_and_in_their_own_table() {
        let down = rules(&["subscriptions.current_period_end"]);
        assert_eq!(paths(&down, "subscription_items"), ["current_period_end"]);
        let up = rules(&["invoice_line_items.description"]);
        assert_eq!(paths(&up, "invoices"), ["lines.data.[].description"]);
        assert_eq!(paths(&up, "invoice_line_items"), ["description"]);
        // Excluding the column of a list does not affect the table of its items.
        assert!(rules(&["invoices.lines"]).of_table("invoice_line_items").is_empty());
    }

    #[test]
    fn other_columns_of_the_same_property_are_affected() {
        assert!(affected(&["customers.email"]).is_empty());
        assert_eq!(affected(&["invoices.status"]), ["invoices.paid"]);
        assert_eq!(affected(&["payouts.statement_descriptor"]), ["payouts.statement_description"]);
        assert_eq!(affected(&["payouts.statement_description"]), ["payouts.statement_descriptor"]);
        assert_eq!(
            affected(&["subscription_items.current_period_end"]),
            ["subscriptions.current_period_end"]
        );
    }
}
