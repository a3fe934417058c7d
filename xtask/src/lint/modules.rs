//! The modules of one crate and their files. Follows the `mod` declarations from `lib.rs`,
//! `main.rs` and `src/bin/*.rs`, except those of test modules.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};

use super::source::{Binding, Import, InlinePath, Source};

/// All modules of the roots below one `src` folder.
pub(super) struct Modules {
    all: Vec<Module>,
}

/// Identifies a module among [`Modules`].
pub(super) type ModuleId = usize;

/// One module; a file can contain several.
pub(super) struct Module {
    /// Relative to `src`, with `/` between folders.
    pub(super) file: String,
    pub(super) root: ModuleId,
    pub(super) parent: Option<ModuleId>,
    pub(super) children: BTreeMap<String, ModuleId>,
    pub(super) source: Source,
}

impl Modules {
    /// Reads the crate whose sources are below `src`.
    ///
    /// # Errors
    /// If a file cannot be read or parsed, or if the file of a declared module is missing.
    pub(super) fn read(src: &Path) -> Result<Modules> {
        let mut modules = Modules { all: Vec::new() };
        for root in roots(src)? {
            if let Some(source) = parse(src, &root)? {
                let folder = root.parent().unwrap_or(Path::new("")).to_owned();
                let id = modules.all.len();
                modules.add(src, source, &root, &folder, id, None)?;
            }
        }
        Ok(modules)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (ModuleId, &Module)> {
        self.all.iter().enumerate()
    }

    pub(super) fn get(&self, id: ModuleId) -> &Module {
        &self.all[id]
    }

    /// Adds a module and everything below it; files of its children are in `folder`.
    fn add(
        &mut self,
        src: &Path,
        mut source: Source,
        file: &Path,
        folder: &Path,
        root: ModuleId,
        parent: Option<ModuleId>,
    ) -> Result<ModuleId> {
        let id = self.all.len();
        let declared = std::mem::take(&mut source.modules);
        let shown = file.to_string_lossy().replace('\\', "/");
        self.all.push(Module { file: shown, root, parent, children: BTreeMap::new(), source });
        for child in declared {
            let below = folder.join(&child.name);
            let (file, source) = match child.inline {
                Some(source) => (file.to_owned(), source),
                None => {
                    let beside = folder.join(format!("{}.rs", child.name));
                    let inside = below.join("mod.rs");
                    let found = [beside, inside].into_iter().find(|f| src.join(f).is_file());
                    let found = found.ok_or_else(|| {
                        anyhow!("{}: `mod {};` has no file", file.display(), child.name)
                    })?;
                    match parse(src, &found)? {
                        Some(source) => (found, source),
                        None => continue,
                    }
                }
            };
            let child_id = self.add(src, source, &file, &below, root, Some(id))?;
            self.all[id].children.insert(child.name, child_id);
        }
        Ok(id)
    }
}

impl Module {
    pub(super) fn imports(&self) -> &[Import] {
        &self.source.imports
    }

    pub(super) fn paths(&self) -> &[InlinePath] {
        &self.source.paths
    }

    /// Whether the import's name also appears in the module's own code.
    pub(super) fn uses_itself(&self, import: &Import) -> bool {
        match &import.binding {
            Binding::Name(name) => self.source.identifiers.contains(name),
            Binding::Glob => false,
        }
    }
}

fn parse(src: &Path, file: &Path) -> Result<Option<Source>> {
    let path = src.join(file);
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    Source::parse(&text).map_err(|error| anyhow!("{}: {error}", path.display()))
}

fn roots(src: &Path) -> Result<Vec<PathBuf>> {
    let mut roots: Vec<PathBuf> = ["lib.rs", "main.rs"].map(PathBuf::from).into();
    roots.retain(|root| src.join(root).is_file());
    let programs = src.join("bin");
    if programs.is_dir() {
        for entry in fs::read_dir(&programs).with_context(|| programs.display().to_string())? {
            let name = entry?.file_name();
            if Path::new(&name).extension().is_some_and(|extension| extension == "rs") {
                roots.push(Path::new("bin").join(name));
            }
        }
    }
    roots.sort();
    Ok(roots)
}
