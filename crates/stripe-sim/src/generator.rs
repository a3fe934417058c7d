//! Generates objects. Each property has a generator, which is selected once per account. Properties
//! that must be consistent with other objects have hand-written generators, the others have
//! generators derived from the schema.

mod balance;
mod billing;
mod customers;
mod events;
mod lists;
mod payments;
mod products;
mod schema;
mod text;

use crate::catalog::{Kind, catalog};
use crate::collection::Key;
use crate::expand::{Expand, NO_EXPANSION};
use crate::json;
use crate::relation::{Relations, Step};
use crate::view::{ObjectSeed, View};

pub(crate) use balance::balance_sources;
pub(crate) use events::event_type;
pub(crate) use lists::EmbeddedList;
#[cfg(test)]
pub(crate) use lists::percent_encode;

/// Writes the value of one property.
pub(crate) type WriteValue = fn(&View<'_>, &ObjectSeed, &Expand, &mut String);

/// How the value of a property is generated.
#[derive(Debug)]
pub(crate) enum ValueGenerator {
    /// Always the same JSON text.
    Text(Box<str>),
    /// One of these JSON texts.
    OneOf(Vec<Box<str>>),
    /// An integer in `[0, n)`.
    Int(u64),
    /// A time less than this number of seconds after the creation of the object.
    After(u64),
    Bool,
    /// A random token with a prefix.
    Token(Box<str>),
    /// Two or three words.
    Phrase,
    /// The id of another object, or that object if it is expanded.
    Reference {
        steps: Vec<Step>,
    },
    /// The id of the parent of a child, or the parent if it is expanded.
    Parent(Kind),
    /// An embedded list.
    List(EmbeddedList),
    /// An object of a type of the catalog.
    Object(Kind),
    /// An object with these members.
    Members(Vec<PropertyGenerator>),
    /// An array of up to two values.
    Array(Box<ValueGenerator>),
    Custom(WriteValue),
}

/// The generator of a property.
#[derive(Debug)]
pub(crate) struct PropertyGenerator {
    pub(crate) name: Box<str>,
    /// `"name":`
    pub(crate) label: Box<str>,
    pub(crate) salt: u64,
    /// The probability that the value is null, in percent.
    pub(crate) null: u8,
    /// The probability that the property is absent, in percent.
    pub(crate) absent: u8,
    pub(crate) value: ValueGenerator,
}

/// The generators of all properties of one type, `id` and `object` first.
#[derive(Debug, Default)]
pub(crate) struct ObjectGenerator {
    properties: Vec<PropertyGenerator>,
}

/// The properties of the account by which generators are selected.
pub(crate) struct GeneratorContext<'a> {
    pub(crate) relations: &'a Relations,
    pub(crate) live: bool,
    pub(crate) own_account: &'a str,
    pub(crate) version: &'a str,
}

impl ObjectGenerator {
    pub(crate) fn new(kind: Kind, context: &GeneratorContext<'_>) -> Self {
        let mut properties: Vec<PropertyGenerator> = catalog()
            .object(kind)
            .properties
            .iter()
            .filter(|(_, schema)| !schema.only_on_deleted)
            // Only the response to the creation contains it.
            .filter(|(name, _)| {
                (catalog().name(kind), name.as_str()) != ("webhook_endpoint", "secret")
            })
            .map(|(name, schema)| schema::property(kind, name, schema, context))
            .collect();
        properties.sort_by_key(|p| match &*p.name {
            "id" => 0,
            "object" => 1,
            _ => 2,
        });
        Self { properties }
    }

    pub(crate) fn write(
        &self,
        view: &View<'_>,
        seed: &ObjectSeed,
        expand: &Expand,
        out: &mut String,
    ) {
        write_members(&self.properties, view, seed, expand, out);
    }

    /// Appends the value of one property. Returns false if the object does not have the property.
    pub(crate) fn write_property(
        &self,
        view: &View<'_>,
        seed: &ObjectSeed,
        name: &str,
        out: &mut String,
    ) -> bool {
        let Some(property) = self.properties.iter().find(|p| &*p.name == name) else {
            return false;
        };
        if property.is_absent(seed, &NO_EXPANSION) {
            return false;
        }
        property.write(view, seed, &NO_EXPANSION, out);
        true
    }
}

fn write_members(
    properties: &[PropertyGenerator],
    view: &View<'_>,
    seed: &ObjectSeed,
    expand: &Expand,
    out: &mut String,
) {
    out.push('{');
    let mut first = true;
    for property in properties {
        if property.is_absent(seed, expand) {
            continue;
        }
        if !first {
            out.push(',');
        }
        first = false;
        out.push_str(&property.label);
        property.write(view, seed, expand, out);
    }
    out.push('}');
}

impl PropertyGenerator {
    fn is_absent(&self, seed: &ObjectSeed, expand: &Expand) -> bool {
        match &self.value {
            ValueGenerator::List(list) if list.optional => expand.get(&self.name).is_none(),
            _ => self.absent > 0 && seed.draw(self.salt ^ 1) % 100 < u64::from(self.absent),
        }
    }

    fn write(&self, view: &View<'_>, seed: &ObjectSeed, expand: &Expand, out: &mut String) {
        if self.null > 0 && seed.draw(self.salt ^ 2) % 100 < u64::from(self.null) {
            return out.push_str("null");
        }
        self.value.write(&self.name, self.salt, view, seed, expand, out);
    }
}

impl ValueGenerator {
    fn write(
        &self,
        name: &str,
        salt: u64,
        view: &View<'_>,
        seed: &ObjectSeed,
        expand: &Expand,
        out: &mut String,
    ) {
        match self {
            ValueGenerator::Text(text) => out.push_str(text),
            ValueGenerator::OneOf(texts) => {
                out.push_str(&texts[seed.draw(salt) as usize % texts.len()])
            }
            ValueGenerator::Int(end) => json::int(out, (seed.draw(salt) % end) as i64),
            ValueGenerator::After(seconds) => {
                json::int(out, seed.created + (seed.draw(salt) % seconds) as i64)
            }
            ValueGenerator::Bool => json::boolean(out, seed.draw(salt).is_multiple_of(2)),
            ValueGenerator::Token(prefix) => text::token(out, prefix, seed.draw(salt)),
            ValueGenerator::Phrase => text::phrase(out, seed.draw(salt)),
            ValueGenerator::Reference { steps } => {
                let target = view.account.relations.follow(seed.kind, seed.key.index, steps);
                write_reference(view, target, expand.get(name), out);
            }
            ValueGenerator::Parent(parent) => {
                write_reference(view, Some((*parent, seed.key.index)), expand.get(name), out);
            }
            ValueGenerator::List(list) => list.write(view, seed.key, expand.nested(name), out),
            ValueGenerator::Object(kind) => {
                write_any_object(view, *kind, seed, expand.nested(name), out)
            }
            ValueGenerator::Members(members) => {
                write_members(members, view, seed, expand.nested(name), out)
            }
            ValueGenerator::Array(item) => {
                out.push('[');
                for i in 0..seed.draw(salt ^ 3) % 3 {
                    if i > 0 {
                        out.push(',');
                    }
                    item.write(name, salt ^ (i + 16), view, seed, expand, out);
                }
                out.push(']');
            }
            ValueGenerator::Custom(write) => {
                write(view, seed, expand.get(name).unwrap_or(&NO_EXPANSION), out)
            }
        }
    }
}

/// Writes the id of an object, or the object itself if it is expanded. Writes `null` if there is no
/// target.
pub(crate) fn write_reference(
    view: &View<'_>,
    target: Option<(Kind, u64)>,
    expand: Option<&Expand>,
    out: &mut String,
) {
    let Some((kind, index)) = target else { return out.push_str("null") };
    write_key(view, Key { collection: kind, index, sub: 0 }, expand, out);
}

/// Writes the id of the object `key`, or the object itself if it is expanded.
pub(crate) fn write_key(view: &View<'_>, key: Key, expand: Option<&Expand>, out: &mut String) {
    match expand {
        Some(nested) if view.is_known(key) && !view.changes.is_deleted(key) => {
            view.write_object(key, nested, out)
        }
        Some(_) if view.is_known(key) => view.write_deleted(key, out),
        _ => view.write_quoted_id(key, out),
    }
}

/// Writes any object of a type: an existing one if the account has some, otherwise a generated one.
fn write_any_object(
    view: &View<'_>,
    kind: Kind,
    seed: &ObjectSeed,
    expand: &Expand,
    out: &mut String,
) {
    let count = view.account.relations.count(kind);
    if count > 0 {
        let key = Key { collection: kind, index: seed.draw(kind as u64) % count, sub: 0 };
        return view.write_object(key, expand, out);
    }
    let generated =
        ObjectSeed { kind, key: Key { collection: kind, index: seed.hash >> 24, sub: 0 }, ..*seed };
    view.account.generators[kind].write(view, &generated, expand, out);
}
