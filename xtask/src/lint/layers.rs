//! The rules about imports: no cycle between files, no import from a higher layer, every file in a
//! layer, and pairs that never import each other.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::config::{AllowedCycle, Config, FILE, Layers};
use super::cycles;
use super::imports::{Arrow, Imports};

/// Every violation in one crate, as text. `shown` is the path of its sources in messages, such as
/// `crates/stripe-sync/src`.
pub(super) fn check(krate: &str, shown: &str, imports: &Imports, config: &Config) -> Vec<String> {
    let crate_check = CrateCheck { shown, imports };
    let allowed: Vec<&AllowedCycle> =
        config.allowed_cycle.iter().filter(|cycle| cycle.krate == krate).collect();
    let mut problems = crate_check.cycles(&allowed);
    for layers in config.layers.iter().filter(|layers| layers.krate == krate) {
        crate_check.files_without_layer(layers, &mut problems);
        crate_check.entries_without_file(layers, &mut problems);
        crate_check.imports_upward(layers, &mut problems);
        crate_check.pairs_apart(layers, &mut problems);
    }
    problems
}

struct CrateCheck<'a> {
    shown: &'a str,
    imports: &'a Imports,
}

/// The importing and the imported file.
type Ends<'a> = (&'a str, &'a str);

impl CrateCheck<'_> {
    /// Cycles between files, except the allowed ones.
    fn cycles(&self, allowed: &[&AllowedCycle]) -> Vec<String> {
        let needed: Vec<(&str, &str)> = self.needed().map(|(ends, _)| ends).collect();
        let groups = cycles::find(needed.iter().copied());
        let mut problems = Vec::new();
        let mut used = BTreeSet::new();
        for group in &groups {
            let excuse = allowed.iter().position(|cycle| {
                group.iter().all(|file| cycle.files.iter().any(|known| known == file))
            });
            match excuse {
                Some(index) => {
                    used.insert(index);
                }
                None => problems.push(self.cycle_text(group, str::to_owned)),
            }
        }
        for (index, cycle) in allowed.iter().enumerate() {
            if !used.contains(&index) {
                problems.push(format!(
                    "{FILE}: there is no cycle between the allowed files {}\n  \
                     Remove the entry.",
                    cycle.files.join(", ")
                ));
            }
        }
        for folder in self.folders() {
            self.cycles_in(&folder, &groups, &mut problems);
        }
        problems
    }

    /// Cycles between the files and folders of one folder. They can exist without a cycle of files:
    /// `a/x.rs` can import `b.rs`, which imports `a/y.rs`.
    fn cycles_in(&self, folder: &str, groups: &[Vec<&str>], problems: &mut Vec<String>) {
        let between: Vec<(String, String)> = self
            .needed()
            .filter_map(|((from, to), _)| Some((entry_in(folder, from)?, entry_in(folder, to)?)))
            .filter(|(from, to)| from != to)
            .collect();
        for found in cycles::find(between.iter().map(|(a, b)| (a.as_str(), b.as_str()))) {
            let entry_of = |file: &&str| entry_in(folder, file);
            // A cycle of files that spans two of the entries is already reported.
            let spans_two = |group: &&Vec<&str>| {
                let entries: BTreeSet<String> = group.iter().filter_map(entry_of).collect();
                entries.iter().filter(|entry| found.contains(&entry.as_str())).count() > 1
            };
            if !groups.iter().any(|group| spans_two(&group)) {
                let name = |file: &str| entry_in(folder, file).unwrap_or_default();
                problems.push(self.cycle_text(&found, name));
            }
        }
    }

    /// Every folder of the crate with a `/` at its end; the crate itself is the empty string.
    fn folders(&self) -> BTreeSet<String> {
        let mut folders = BTreeSet::from([String::new()]);
        for file in &self.imports.files {
            folders.extend(file.match_indices('/').map(|(at, _)| file[..=at].to_owned()));
        }
        folders
    }

    /// The members of a cycle and the imports between them; `name` returns the member that a file
    /// belongs to.
    fn cycle_text(&self, group: &[&str], name: impl Fn(&str) -> String) -> String {
        let mut text = format!("{}: import cycle between {}", self.shown, group.join(", "));
        for ((from, to), arrow) in self.needed() {
            let ends = (name(from), name(to));
            let inside = |end: &str| group.contains(&end);
            if ends.0 != ends.1 && inside(&ends.0) && inside(&ends.1) {
                let _ = write!(text, "\n  {} -> {to}", self.site(from, arrow));
            }
        }
        text.push_str(
            "\n  Move what both sides need into a separate file that imports neither of them.",
        );
        text
    }

    fn files_without_layer(&self, layers: &Layers, problems: &mut Vec<String>) {
        for file in &self.imports.files {
            if layers.contains(file) && layers.place(file).is_none() {
                problems.push(format!(
                    "{}/{file}: the file belongs to no layer\n  \
                     Add it to `order` of the crate in {FILE}, at the lowest layer that its \
                     imports allow.",
                    self.shown
                ));
            }
        }
    }

    fn entries_without_file(&self, layers: &Layers, problems: &mut Vec<String>) {
        let places: BTreeSet<&str> =
            self.imports.files.iter().filter_map(|f| layers.place(f)).map(|(_, e)| e).collect();
        for (_, entry) in layers.entries() {
            if !places.contains(entry) {
                problems.push(format!(
                    "{FILE}: `{entry}` is not a file or folder of {}{}{}\n  \
                     Remove the entry or correct its name.",
                    self.shown,
                    if layers.folder.is_empty() { "" } else { "/" },
                    layers.folder
                ));
            }
        }
    }

    fn imports_upward(&self, layers: &Layers, problems: &mut Vec<String>) {
        for ((from, to), arrow) in self.arrows() {
            let (Some((low, importer)), Some((high, imported))) =
                (layers.place(from), layers.place(to))
            else {
                continue;
            };
            if high > low {
                problems.push(format!(
                    "{} -> {to}\n  `{importer}` (layer {low}) imports upward from `{imported}` \
                     (layer {high}); see {FILE}\n  Move what is needed to layer {low} or lower, \
                     or pass it in as an argument.",
                    self.site(from, arrow)
                ));
            }
        }
    }

    fn pairs_apart(&self, layers: &Layers, problems: &mut Vec<String>) {
        for ((from, to), arrow) in self.arrows() {
            let (Some((_, importer)), Some((_, imported))) = (layers.place(from), layers.place(to))
            else {
                continue;
            };
            let pair = |[a, b]: &[String; 2]| {
                (a == importer && b == imported) || (b == importer && a == imported)
            };
            if layers.apart.iter().any(pair) {
                problems.push(format!(
                    "{} -> {to}\n  `{importer}` and `{imported}` must not import each other; see \
                     {FILE}\n  Move what both need to a lower layer, or connect them in a higher \
                     one.",
                    self.site(from, arrow)
                ));
            }
        }
    }

    fn arrows(&self) -> impl Iterator<Item = (Ends<'_>, &Arrow)> {
        self.imports.arrows.iter().map(|((from, to), arrow)| ((from.as_str(), to.as_str()), arrow))
    }

    /// The arrows that the importing file's own code needs.
    fn needed(&self) -> impl Iterator<Item = (Ends<'_>, &Arrow)> {
        self.arrows().filter(|(_, arrow)| !arrow.only_reexports)
    }

    fn site(&self, file: &str, arrow: &Arrow) -> String {
        format!("{}/{file}:{}: {}", self.shown, arrow.line, arrow.text)
    }
}

/// The entry of `folder` that `file` is or is in, without `.rs`. A module's file and its folder are
/// the same entry.
fn entry_in(folder: &str, file: &str) -> Option<String> {
    let inside = file.strip_prefix(folder)?;
    let first = inside.split('/').next()?;
    Some(first.strip_suffix(".rs").unwrap_or(first).to_owned())
}
