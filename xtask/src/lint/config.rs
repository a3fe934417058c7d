//! Reads `xtask/layers.toml`, which defines the allowed imports.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// The path of the configuration in messages.
pub(super) const FILE: &str = "xtask/layers.toml";

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Config {
    pub(super) layers: Vec<Layers>,
    pub(super) allowed_cycle: Vec<AllowedCycle>,
}

/// The layers of a crate, or of one folder of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Layers {
    #[serde(rename = "crate")]
    pub(super) krate: String,
    /// Relative to `src`; empty for the whole crate.
    #[serde(default)]
    pub(super) folder: String,
    /// From the lowest layer to the highest. An entry is the name of a file without `.rs`, or of a
    /// folder.
    pub(super) order: Vec<Vec<String>>,
    /// Pairs of entries that must not import each other, regardless of their layers.
    #[serde(default)]
    pub(super) apart: Vec<[String; 2]>,
}

/// Files that may import each other in a cycle.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AllowedCycle {
    #[serde(rename = "crate")]
    pub(super) krate: String,
    pub(super) files: Vec<String>,
    pub(super) reason: String,
}

impl Config {
    /// Reads the configuration of the workspace at `root`.
    ///
    /// # Errors
    /// If it is missing, has an unknown key, names an entry twice, or lacks a reason.
    pub(super) fn read(root: &Path) -> Result<Config> {
        let text = fs::read_to_string(root.join(FILE)).context(FILE)?;
        Config::parse(&text).context(FILE)
    }

    pub(super) fn parse(text: &str) -> Result<Config> {
        let config: Config = toml::from_str(text)?;
        for layers in &config.layers {
            let mut seen = BTreeMap::new();
            for (number, entry) in layers.entries() {
                if seen.insert(entry, number).is_some() {
                    bail!("`{entry}` is in two layers of {}", layers.krate);
                }
            }
            for entry in layers.apart.iter().flatten() {
                if !seen.contains_key(entry.as_str()) {
                    bail!("`apart` names `{entry}`, which is in no layer of {}", layers.krate);
                }
            }
        }
        for cycle in &config.allowed_cycle {
            if cycle.reason.trim().is_empty() {
                bail!("an allowed cycle of {} has no reason", cycle.krate);
            }
        }
        Ok(config)
    }
}

impl Layers {
    /// The number of each entry's layer, where 1 is the lowest, and the entry.
    pub(super) fn entries(&self) -> impl Iterator<Item = (usize, &str)> {
        self.order
            .iter()
            .enumerate()
            .flat_map(|(index, layer)| layer.iter().map(move |entry| (index + 1, entry.as_str())))
    }

    /// The layer and the entry that a file of the crate belongs to: the longest entry that is the
    /// file itself or one of its parent folders.
    pub(super) fn place(&self, file: &str) -> Option<(usize, &str)> {
        let name = self.name_inside(file)?;
        let name = name.strip_suffix(".rs").unwrap_or(name);
        self.entries()
            .filter(|(_, entry)| {
                name.strip_prefix(*entry)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
            .max_by_key(|(_, entry)| entry.len())
    }

    /// Whether these layers apply to the file.
    pub(super) fn contains(&self, file: &str) -> bool {
        self.name_inside(file).is_some()
    }

    fn name_inside<'a>(&self, file: &'a str) -> Option<&'a str> {
        match self.folder.as_str() {
            "" => Some(file),
            folder => file.strip_prefix(folder)?.strip_prefix('/'),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers() -> Layers {
        Layers {
            krate: "engine".to_owned(),
            folder: "postgres".to_owned(),
            order: vec![
                vec!["ident".to_owned()],
                vec!["write".to_owned(), "write/page".to_owned()],
            ],
            apart: Vec::new(),
        }
    }

    #[test]
    fn the_longest_entry_decides() {
        let layers = layers();
        assert_eq!(layers.place("postgres/ident.rs"), Some((1, "ident")));
        assert_eq!(layers.place("postgres/write/mod.rs"), Some((2, "write")));
        assert_eq!(layers.place("postgres/write/page.rs"), Some((2, "write/page")));
        assert_eq!(layers.place("postgres/writer.rs"), None);
        assert_eq!(layers.place("stripe/ident.rs"), None);
    }

    #[test]
    fn an_entry_in_two_layers_and_a_cycle_without_a_reason_are_refused() {
        let twice = "[[layers]]\ncrate = 'a'\norder = [['b'], ['b']]";
        assert!(Config::parse(twice).is_err());
        let unknown = "[[layers]]\ncrate = 'a'\norder = [['b']]\napart = [['b', 'c']]";
        assert!(Config::parse(unknown).is_err());
        let no_reason = "[[allowed_cycle]]\ncrate = 'a'\nfiles = ['b.rs']\nreason = ' '";
        assert!(Config::parse(no_reason).is_err());
    }
}
