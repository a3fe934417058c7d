//! Which values of which objects are stored nowhere, because a column is left out. Pure.
//!
//! A column shows a property, and the same property can stand in several places: in the column's
//! other sources (`charges.destination` is also `transfer_data.destination`), in a parent's
//! list of items and in the items' own table, and wherever else an object of the type is embedded,
//! such as in an event. All those places are left out together. A column that is computed
//! (`sum`, `equals`) takes nothing with it: what it is computed of is something else.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Catalog, ColumnName, Each, Nested, Source, Table};

/// One step on the way to a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// The value of this key.
    Key(String),
    /// Each element of an array.
    Each,
}

/// The way to a value from the top of an object.
pub(crate) type Place = Vec<Step>;

/// What is left out of a copy.
#[derive(Debug, Default)]
pub(crate) struct Exclusions {
    columns: BTreeMap<String, BTreeSet<String>>,
    of_table: HashMap<String, Vec<Place>>,
    of_object: HashMap<String, Vec<Place>>,
}

impl Exclusions {
    /// From the columns' names. One that this catalog does not know is a property of that name.
    pub(crate) fn new(names: &[ColumnName]) -> Exclusions {
        let catalog = Catalog::get();
        let mut columns: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut places: BTreeMap<String, BTreeSet<Place>> = BTreeMap::new();
        for ColumnName { table, column } in names {
            columns.entry(table.clone()).or_default().insert(column.clone());
            let own = [vec![Step::Key(column.clone())]];
            let found =
                catalog.table(table).and_then(|t| t.columns.iter().find(|c| c.name == *column));
            let copies = found.into_iter().flat_map(|c| &c.from).filter_map(copy);
            places.entry(table.clone()).or_default().extend(own.into_iter().chain(copies));
        }
        // A list's items are in their parent and in their own table.
        for (table, nested, child) in nested_tables(catalog) {
            let prefix = items(nested);
            let of_parent = places.get(&table.name).into_iter().flatten();
            let down: Vec<Place> = of_parent
                .filter_map(|place| place.strip_prefix(prefix.as_slice()))
                .filter(|rest| !rest.is_empty())
                .map(<[Step]>::to_vec)
                .collect();
            let of_child = places.get(&child.name).into_iter().flatten();
            let up: Vec<Place> =
                of_child.map(|place| [prefix.as_slice(), place].concat()).collect();
            for (name, more) in [(&child.name, down), (&table.name, up)] {
                if !more.is_empty() {
                    places.entry(name.clone()).or_default().extend(more);
                }
            }
        }
        let mut of_object: HashMap<String, Vec<Place>> = HashMap::new();
        for (name, places) in &places {
            if let Some(table) = catalog.table(name) {
                of_object.entry(table.object.clone()).or_default().extend(places.iter().cloned());
            }
        }
        let of_table = places.into_iter().map(|(t, places)| (t, places.into_iter().collect()));
        Exclusions { columns, of_table: of_table.collect(), of_object }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// Whether the column itself is left out, wherever its value would come from.
    pub(crate) fn has(&self, table: &str, column: &str) -> bool {
        self.columns.get(table).is_some_and(|columns| columns.contains(column))
    }

    /// What is taken out of the objects that are rows of a table.
    pub(crate) fn of_table(&self, table: &str) -> &[Place] {
        self.of_table.get(table).map_or(&[], Vec::as_slice)
    }

    /// What is taken out of objects of a type that stand inside others.
    pub(crate) fn of_object(&self, object: &str) -> &[Place] {
        self.of_object.get(object).map_or(&[], Vec::as_slice)
    }

    /// The types with something to take out.
    pub(crate) fn objects(&self) -> impl Iterator<Item = &str> {
        self.of_object.keys().map(String::as_str)
    }

    /// Whether a column that is not left out itself can show a value that is, or be computed of it.
    pub(crate) fn touches(&self, table: &Table, column: &super::Column) -> bool {
        let places = self.of_table(&table.name);
        let covers = |way: &Place| places.iter().any(|place| way.starts_with(place));
        !self.has(&table.name, &column.name)
            && column.from.iter().filter_map(way).any(|w| covers(&w))
    }

    /// The columns for which [`Exclusions::touches`] is true, for people.
    pub(crate) fn touched(&self) -> Vec<ColumnName> {
        let catalog = Catalog::get();
        let all = catalog.tables.iter().flat_map(|t| t.columns.iter().map(move |c| (t, c)));
        all.filter(|(table, column)| self.touches(table, column))
            .map(|(t, c)| ColumnName { table: t.name.clone(), column: c.name.clone() })
            .collect()
    }
}

/// The tables with a nested list that has a table of its own, and that table.
fn nested_tables(
    catalog: &'static Catalog,
) -> impl Iterator<Item = (&'static Table, &'static Nested, &'static Table)> {
    catalog.tables.iter().flat_map(move |table| {
        table.nested.iter().filter_map(move |nested| {
            Some((table, nested, catalog.table(nested.table.as_deref()?)?))
        })
    })
}

/// The way to the items of a nested list.
fn items(nested: &Nested) -> Place {
    let keys = nested.path.split('.').chain(["data"]).map(|key| Step::Key(key.to_owned()));
    keys.chain([Step::Each]).collect()
}

/// The place that a source copies its value from.
fn copy(source: &Source) -> Option<Place> {
    match source {
        Source::Path(_)
        | Source::First(_)
        | Source::Only(_)
        | Source::Ids(_)
        | Source::TaxAmounts(_) => way(source),
        Source::Equals(..) | Source::Sum(_) | Source::Parent | Source::False => None,
    }
}

/// The place that a source looks at.
fn way(source: &Source) -> Option<Place> {
    let keys = |path: &[String]| path.iter().cloned().map(Step::Key).collect::<Place>();
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

    fn places(rules: &Exclusions, table: &str) -> Vec<String> {
        let word = |step: &Step| match step {
            Step::Key(key) => key.clone(),
            Step::Each => "[]".to_owned(),
        };
        let text = |p: &Place| p.iter().map(word).collect::<Vec<_>>().join(".");
        rules.of_table(table).iter().map(text).collect()
    }

    fn touched(names: &[&str]) -> Vec<String> {
        rules(names).touched().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_source_that_copies_is_left_out() {
        let left = rules(&["invoices.subscription", "invoices.paid", "invoices.tax"]);
        assert_eq!(
            places(&left, "invoices"),
            ["paid", "parent.subscription_details.subscription", "subscription", "tax"]
        );
        assert!(left.has("invoices", "paid") && !left.has("invoices", "status"));
        assert!(left.of_table("customers").is_empty());
    }

    #[test]
    fn items_are_left_out_of_their_parents_and_the_other_way_round() {
        let down = rules(&["subscriptions.current_period_end"]);
        assert_eq!(places(&down, "subscription_items"), ["current_period_end"]);
        let up = rules(&["invoice_line_items.description"]);
        assert_eq!(places(&up, "invoices"), ["lines.data.[].description"]);
        assert_eq!(places(&up, "invoice_line_items"), ["description"]);
        // The column of a list is not its table.
        assert!(rules(&["invoices.lines"]).of_table("invoice_line_items").is_empty());
    }

    #[test]
    fn other_columns_of_the_same_property_are_named() {
        assert!(touched(&["customers.email"]).is_empty());
        assert_eq!(touched(&["invoices.status"]), ["invoices.paid"]);
        assert_eq!(touched(&["payouts.statement_descriptor"]), ["payouts.statement_description"]);
        assert_eq!(touched(&["payouts.statement_description"]), ["payouts.statement_descriptor"]);
        assert_eq!(
            touched(&["subscription_items.current_period_end"]),
            ["subscriptions.current_period_end"]
        );
    }
}
