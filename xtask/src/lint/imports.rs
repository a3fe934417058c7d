//! Which file of a crate imports which other file, and where.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;

use super::modules::{Module, ModuleId, Modules};
use super::resolve::{Resolver, Target};
use super::source::Binding;

/// The files of one crate and the imports between them.
pub(super) struct Imports {
    pub(super) files: Vec<String>,
    /// By importing and imported file, with the first place of the import.
    pub(super) arrows: BTreeMap<(String, String), Arrow>,
}

/// Why one file depends on another.
#[derive(Clone)]
pub(super) struct Arrow {
    pub(super) line: usize,
    /// The declaration or path as written in the code.
    pub(super) text: String,
    /// Whether every use only re-exports a name. Such an import counts for the layers, but not for
    /// cycles, because the file's own code does not need the other file.
    pub(super) only_reexports: bool,
}

impl Imports {
    /// Reads the crate whose sources are below `src`.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub(super) fn read(src: &Path) -> Result<Imports> {
        let modules = Modules::read(src)?;
        let resolver = Resolver::new(&modules);
        let mut files: Vec<String> = modules.iter().map(|(_, m)| m.file.clone()).collect();
        files.sort();
        files.dedup();
        let mut imports = Imports { files, arrows: BTreeMap::new() };
        for (id, module) in modules.iter() {
            imports.add_declarations(&modules, &resolver, id, module);
            imports.add_paths(&modules, &resolver, id, module);
        }
        Ok(imports)
    }

    fn add_declarations(
        &mut self,
        modules: &Modules,
        resolver: &Resolver<'_>,
        id: ModuleId,
        module: &Module,
    ) {
        for import in module.imports() {
            let path = import.path.join("::");
            let (targets, shown) = match &import.binding {
                Binding::Name(_) => (resolver.resolve(id, &import.path), path),
                Binding::Glob => {
                    let names = &module.source.identifiers;
                    (resolver.resolve_glob(id, &import.path, names), format!("{path}::*"))
                }
            };
            let arrow = Arrow {
                line: import.line,
                text: format!("use {shown}"),
                only_reexports: import.reexport && !module.uses_itself(import),
            };
            self.add(modules, module, &targets, &arrow);
        }
    }

    fn add_paths(
        &mut self,
        modules: &Modules,
        resolver: &Resolver<'_>,
        id: ModuleId,
        module: &Module,
    ) {
        for found in module.paths() {
            let targets = resolver.resolve(id, &found.path);
            let text = found.path.join("::");
            let arrow = Arrow { line: found.line, text, only_reexports: false };
            self.add(modules, module, &targets, &arrow);
        }
    }

    fn add(&mut self, modules: &Modules, from: &Module, targets: &[Target], arrow: &Arrow) {
        for target in targets {
            // Naming a module is not a dependency; using one of its items is.
            let Target::Item(owner) = *target else { continue };
            let to = &modules.get(owner).file;
            if *to == from.file {
                continue;
            }
            self.arrows
                .entry((from.file.clone(), to.clone()))
                .and_modify(|known| {
                    let stronger = known.only_reexports && !arrow.only_reexports;
                    let earlier =
                        known.only_reexports == arrow.only_reexports && arrow.line < known.line;
                    if stronger || earlier {
                        *known = arrow.clone();
                    }
                })
                .or_insert_with(|| arrow.clone());
        }
    }
}
