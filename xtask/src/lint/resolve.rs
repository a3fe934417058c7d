//! Resolves a path in the code to the file that defines the named item. Follows re-exports, so a
//! `mod.rs` that only re-exports names is never the target.

use std::collections::BTreeSet;

use super::modules::{ModuleId, Modules};
use super::source::Binding;

/// What a path names inside the crate.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    Module(ModuleId),
    /// An item that this module defines.
    Item(ModuleId),
}

/// Resolves paths in the modules of one crate.
pub(super) struct Resolver<'a> {
    modules: &'a Modules,
}

/// Lookups in progress. A repeated lookup does not follow imports again.
type Open = BTreeSet<(ModuleId, String)>;

impl<'a> Resolver<'a> {
    pub(super) fn new(modules: &'a Modules) -> Resolver<'a> {
        Resolver { modules }
    }

    /// What `path` names in module `from`: nothing if it is outside the crate, and two targets if a
    /// module and an item have the same name.
    pub(super) fn resolve(&self, from: ModuleId, path: &[String]) -> Vec<Target> {
        self.resolve_path(from, path, &mut Open::new())
    }

    /// The items that the glob import of `path` makes available in `from`, restricted to `names`.
    pub(super) fn resolve_glob(
        &self,
        from: ModuleId,
        path: &[String],
        names: &BTreeSet<String>,
    ) -> Vec<Target> {
        let mut found = Vec::new();
        for target in self.resolve(from, path) {
            match target {
                Target::Item(_) => found.push(target),
                Target::Module(module) => {
                    for name in names {
                        found.extend(self.look_up(module, name, &mut Open::new()));
                    }
                }
            }
        }
        found
    }

    fn resolve_path(&self, from: ModuleId, path: &[String], open: &mut Open) -> Vec<Target> {
        let Some((first, rest)) = path.split_first() else { return Vec::new() };
        let module = self.modules.get(from);
        let start = match first.as_str() {
            "crate" => vec![Target::Module(module.root)],
            "self" => vec![Target::Module(from)],
            "super" => module.parent.map(Target::Module).into_iter().collect(),
            name => self.look_up(from, name, open),
        };
        rest.iter().fold(start, |targets, segment| self.step(&targets, segment, open))
    }

    fn step(&self, targets: &[Target], segment: &str, open: &mut Open) -> Vec<Target> {
        let mut found = BTreeSet::new();
        let into_modules = targets.iter().any(|target| matches!(target, Target::Module(_)));
        for target in targets {
            match *target {
                Target::Module(module) if segment == "super" => {
                    found.extend(self.modules.get(module).parent.map(Target::Module));
                }
                Target::Module(module) => found.extend(self.look_up(module, segment, open)),
                // A variant of an enum or a function of a type: the used item is the type.
                Target::Item(_) if !into_modules => {
                    found.insert(*target);
                }
                Target::Item(_) => {}
            }
        }
        found.into_iter().collect()
    }

    /// What `name` is in the scope of `module`.
    fn look_up(&self, module: ModuleId, name: &str, open: &mut Open) -> Vec<Target> {
        let content = self.modules.get(module);
        let mut found = BTreeSet::new();
        found.extend(content.children.get(name).map(|child| Target::Module(*child)));
        if content.source.defines.contains(name) {
            found.insert(Target::Item(module));
        }
        // `pub use name::name` looks up the module during the lookup of the item.
        let key = (module, name.to_owned());
        if !open.insert(key.clone()) {
            return found.into_iter().collect();
        }
        for import in content.imports() {
            if import.binding == Binding::Name(name.to_owned()) {
                found.extend(self.resolve_path(module, &import.path, open));
            }
        }
        if found.is_empty() {
            for import in content.imports().iter().filter(|i| i.binding == Binding::Glob) {
                let targets = self.resolve_path(module, &import.path, open);
                let modules: Vec<Target> =
                    targets.into_iter().filter(|t| matches!(t, Target::Module(_))).collect();
                found.extend(self.step(&modules, name, open));
            }
        }
        open.remove(&key);
        found.into_iter().collect()
    }
}
