//! Assigns the properties of objects to the columns of their table.

use std::collections::HashMap;

use super::escape::unescape;
use super::object::Object;
use super::scan::key_is;
use crate::catalog::Table;

/// A key and its value, both as written.
type Property<'a> = (&'a str, &'a str);

/// The properties of one object of a table.
pub(super) struct Properties<'t, 'a> {
    names: Vec<&'t str>,
    columns: HashMap<&'t str, usize>,
    /// The column that followed in the last object: index 0 for the first property, index i + 1 for
    /// the one after column i. Stripe writes all objects of a type in the same order, so one
    /// comparison with the expected name finds nearly every column.
    followers: Vec<usize>,
    own: Vec<Option<Property<'a>>>,
    /// The properties without a column, in order. The encoder adds those that their column
    /// cannot hold exactly.
    pub(super) rest: Vec<Property<'a>>,
}

impl<'t, 'a> Properties<'t, 'a> {
    pub(super) fn of(table: &'t Table) -> Properties<'t, 'a> {
        let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        let columns = names.iter().enumerate().map(|(place, name)| (*name, place)).collect();
        Properties {
            followers: (0..=names.len()).collect(),
            own: vec![None; names.len()],
            rest: Vec::new(),
            columns,
            names,
        }
    }

    /// Reads the next object.
    pub(super) fn read(&mut self, object: Object<'a>) {
        self.own.fill(None);
        self.rest.clear();
        let mut previous = 0;
        for (key, value) in object.fields() {
            let follower = self.followers[previous];
            let place = match self.names.get(follower) {
                Some(name) if *name == key => follower,
                _ => match self.columns.get(&*unescape(key).text) {
                    Some(place) => *place,
                    None => {
                        self.rest.push((key, value));
                        continue;
                    }
                },
            };
            self.own[place] = Some((key, value));
            self.followers[previous] = place;
            previous = place + 1;
        }
    }

    /// The property with the name of the column at index `place`.
    pub(super) fn own(&self, place: usize) -> Option<Property<'a>> {
        self.own[place]
    }

    /// The value of any property. As in jsonb, the last of several equal keys counts.
    pub(super) fn value(&self, name: &str) -> Option<&'a str> {
        match self.columns.get(name) {
            Some(place) => self.own[*place].map(|(_, value)| value),
            None => self.rest.iter().rfind(|(key, _)| key_is(key, name)).map(|(_, value)| *value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    #[test]
    fn every_property_is_found_in_any_order() {
        let table = Catalog::get().table("exchange_rates").expect("exchange_rates");
        let mut properties = Properties::of(table);
        for (json, id, rates, other, rest) in [
            (r#"{"id":"a","object":"x","rates":{}}"#, Some("\"a\""), Some("{}"), None, 0),
            (r#"{"rates":[],"other":1,"id":"b"}"#, Some("\"b\""), Some("[]"), Some("1"), 1),
            (r#"{"id":"c","id":"d","other":1,"other":2}"#, Some("\"d\""), None, Some("2"), 2),
            (r#"{"\u0069d":"e","r\u0061tes":7}"#, Some("\"e\""), Some("7"), None, 0),
            ("{}", None, None, None, 0),
            ("null", None, None, None, 0),
        ] {
            properties.read(json.into());
            let found =
                (properties.value("id"), properties.value("rates"), properties.value("other"));
            assert_eq!(found, (id, rates, other), "{json}");
            assert_eq!(properties.rest.len(), rest, "{json}");
        }
    }
}
