//! How an object is written: one generator per property, chosen once per account from the schema and from the
//! properties that must agree with other objects.

mod billing;
mod catalogue;
mod events;
mod lists;
mod money;
mod payments;
mod people;
mod schema;
mod words;

use crate::catalog::{Kind, catalog};
use crate::collection::Key;
use crate::expand::{Expand, NOTHING};
use crate::json;
use crate::relation::{Relations, Step};
use crate::view::{Row, View};

pub(crate) use catalogue::price_is_inline;
pub(crate) use events::event_type;
pub(crate) use lists::Embedded;
#[cfg(test)]
pub(crate) use lists::percent_encode;
pub(crate) use money::money_parts;

/// Writes one property's value.
pub(crate) type Write = fn(&View<'_>, &Row, &Expand, &mut String);

/// Where a property's value comes from.
#[derive(Debug)]
pub(crate) enum Make {
    /// Always the same text.
    Text(Box<str>),
    /// One of these texts.
    OneOf(Vec<Box<str>>),
    /// An integer in `[0, n)`.
    Int(u64),
    /// A time up to so many seconds after the object's creation.
    After(u64),
    Bool,
    /// A made-up token behind a prefix.
    Token(Box<str>),
    /// Two or three words.
    Phrase,
    /// The id of another object, or that object when expanded.
    Reference {
        steps: Vec<Step>,
    },
    /// The parent of a child.
    Parent(Kind),
    /// A list inside the object.
    List(Embedded),
    /// An object of a catalogued type.
    Whole(Kind),
    /// An object of named members.
    Members(Vec<Property>),
    /// An array of up to two.
    Array(Box<Make>),
    Custom(Write),
}

/// A property with its chance to be null or absent, in percent.
#[derive(Debug)]
pub(crate) struct Property {
    pub(crate) name: Box<str>,
    /// `"name":`
    pub(crate) label: Box<str>,
    pub(crate) salt: u64,
    pub(crate) null: u8,
    pub(crate) absent: u8,
    pub(crate) make: Make,
}

/// All properties of one type, `id` and `object` first.
#[derive(Debug, Default)]
pub(crate) struct Recipe {
    properties: Vec<Property>,
}

/// What choosing a generator needs to know.
pub(crate) struct Scene<'a> {
    pub(crate) relations: &'a Relations,
    pub(crate) live: bool,
    pub(crate) own_account: &'a str,
    pub(crate) version: &'a str,
}

impl Recipe {
    pub(crate) fn new(kind: Kind, scene: &Scene<'_>) -> Self {
        let mut properties: Vec<Property> = catalog()
            .object(kind)
            .properties
            .iter()
            .filter(|(_, schema)| !schema.only_on_deleted)
            .map(|(name, schema)| schema::property(kind, name, schema, scene))
            .collect();
        properties.sort_by_key(|p| match &*p.name {
            "id" => 0,
            "object" => 1,
            _ => 2,
        });
        Self { properties }
    }

    pub(crate) fn write(&self, view: &View<'_>, row: &Row, expand: &Expand, out: &mut String) {
        write_members(&self.properties, view, row, expand, out);
    }

    /// Appends one property's value; false if the object has no such property.
    pub(crate) fn write_property(
        &self,
        view: &View<'_>,
        row: &Row,
        name: &str,
        out: &mut String,
    ) -> bool {
        let Some(property) = self.properties.iter().find(|p| &*p.name == name) else {
            return false;
        };
        if property.is_absent(row, &NOTHING) {
            return false;
        }
        property.write(view, row, &NOTHING, out);
        true
    }
}

fn write_members(
    properties: &[Property],
    view: &View<'_>,
    row: &Row,
    expand: &Expand,
    out: &mut String,
) {
    out.push('{');
    let mut first = true;
    for property in properties {
        if property.is_absent(row, expand) {
            continue;
        }
        if !first {
            out.push(',');
        }
        first = false;
        out.push_str(&property.label);
        property.write(view, row, expand, out);
    }
    out.push('}');
}

impl Property {
    fn is_absent(&self, row: &Row, expand: &Expand) -> bool {
        match &self.make {
            Make::List(list) if list.optional => expand.get(&self.name).is_none(),
            _ => self.absent > 0 && row.draw(self.salt ^ 1) % 100 < u64::from(self.absent),
        }
    }

    fn write(&self, view: &View<'_>, row: &Row, expand: &Expand, out: &mut String) {
        if self.null > 0 && row.draw(self.salt ^ 2) % 100 < u64::from(self.null) {
            return out.push_str("null");
        }
        self.make.write(&self.name, self.salt, view, row, expand, out);
    }
}

impl Make {
    fn write(
        &self,
        name: &str,
        salt: u64,
        view: &View<'_>,
        row: &Row,
        expand: &Expand,
        out: &mut String,
    ) {
        match self {
            Make::Text(text) => out.push_str(text),
            Make::OneOf(texts) => out.push_str(&texts[row.draw(salt) as usize % texts.len()]),
            Make::Int(below) => json::int(out, (row.draw(salt) % below) as i64),
            Make::After(seconds) => json::int(out, row.created + (row.draw(salt) % seconds) as i64),
            Make::Bool => json::boolean(out, row.draw(salt).is_multiple_of(2)),
            Make::Token(prefix) => words::token(out, prefix, row.draw(salt)),
            Make::Phrase => words::phrase(out, row.draw(salt)),
            Make::Reference { steps } => {
                let target = view.account.relations.follow(row.kind, row.key.index, steps);
                write_reference(view, target, expand.get(name), out);
            }
            Make::Parent(parent) => {
                write_reference(view, Some((*parent, row.key.index)), expand.get(name), out);
            }
            Make::List(list) => list.write(view, row.key, expand.below(name), out),
            Make::Whole(kind) => whole(view, *kind, row, expand.below(name), out),
            Make::Members(members) => write_members(members, view, row, expand.below(name), out),
            Make::Array(item) => {
                out.push('[');
                for i in 0..row.draw(salt ^ 3) % 3 {
                    if i > 0 {
                        out.push(',');
                    }
                    item.write(name, salt ^ (i + 16), view, row, expand, out);
                }
                out.push(']');
            }
            Make::Custom(write) => write(view, row, expand.get(name).unwrap_or(&NOTHING), out),
        }
    }
}

/// Writes an id, or the object itself when it is to be expanded, or `null` for no target.
pub(crate) fn write_reference(
    view: &View<'_>,
    target: Option<(Kind, u64)>,
    expand: Option<&Expand>,
    out: &mut String,
) {
    let Some((kind, index)) = target else { return out.push_str("null") };
    write_key(view, Key { collection: kind, index, sub: 0 }, expand, out);
}

/// The same for any key.
pub(crate) fn write_key(view: &View<'_>, key: Key, expand: Option<&Expand>, out: &mut String) {
    match expand {
        Some(below) if view.known(key) && !view.overlay.is_deleted(key) => {
            view.write_object(key, below, out)
        }
        Some(_) if view.known(key) => crate::answer::write_deleted(view, key, out),
        _ => view.write_quoted_id(key, out),
    }
}

/// An object of a type that has no list of its own, or an existing one of a type that has.
fn whole(view: &View<'_>, kind: Kind, row: &Row, expand: &Expand, out: &mut String) {
    let count = view.account.relations.count(kind);
    if count > 0 {
        let key = Key { collection: kind, index: row.draw(kind as u64) % count, sub: 0 };
        return view.write_object(key, expand, out);
    }
    let made_up =
        Row { kind, key: Key { collection: kind, index: row.hash >> 24, sub: 0 }, ..*row };
    view.account.recipes[kind].write(view, &made_up, expand, out);
}
