//! What a takeover will do, for people to read before it is done.

use super::judge::Plan;
use super::survey::Survey;

/// Tables of a TypeScript stripe-sync-engine that [`crate::StripeSync::migrate`] takes over in
/// place. Each is locked against reading and writing while it is rewritten, in a transaction of
/// its own.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Adoption {
    /// The tables, the largest first.
    pub tables: Vec<AdoptionTable>,
    /// Views that are made again in the same transaction as their table.
    pub views: Vec<String>,
    /// Foreign keys of other tables. They keep the ids unique by themselves, so the schema then
    /// takes one account only.
    pub foreign_keys: Vec<KeptForeignKey>,
}

/// One table to take over.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct AdoptionTable {
    /// Its name without prefix.
    pub name: String,
    /// As PostgreSQL estimates them; `None` if the table was never analyzed.
    pub rows: Option<u64>,
    /// With indexes and long values.
    pub bytes: u64,
}

/// A foreign key that refers to a table that is taken over.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct KeptForeignKey {
    /// The constraint.
    pub name: String,
    /// The table that has it.
    pub from: String,
    /// The table it refers to.
    pub to: String,
}

impl Adoption {
    /// What is rewritten in all.
    pub fn bytes(&self) -> u64 {
        self.tables.iter().map(|t| t.bytes).sum()
    }

    /// Disk needed beside what is used: old and new copy of the largest table stand beside each
    /// other until its transaction ends. The write-ahead log takes as much again.
    pub fn largest(&self) -> u64 {
        self.tables.iter().map(|t| t.bytes).max().unwrap_or(0)
    }

    pub(super) fn of(survey: &Survey, plans: &[Plan<'_>]) -> Adoption {
        let mut tables: Vec<AdoptionTable> = plans
            .iter()
            .map(|plan| AdoptionTable {
                name: plan.found.table.name.clone(),
                rows: u64::try_from(plan.found.rows).ok(),
                bytes: u64::try_from(plan.found.bytes).unwrap_or(0),
            })
            .collect();
        tables.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
        let touched = |oid: u32| plans.iter().find(|plan| plan.found.oid == oid);
        let views = survey
            .views
            .iter()
            .filter(|view| view.tables.iter().any(|oid| touched(*oid).is_some()))
            .map(|view| view.name.clone())
            .collect();
        let mut foreign_keys = Vec::new();
        for key in &survey.incoming {
            let inside = survey.tables.iter().any(|t| t.oid == key.from);
            if let (Some(plan), false) = (touched(key.to), inside) {
                foreign_keys.push(KeptForeignKey {
                    name: key.name.clone(),
                    from: key.from_name.clone(),
                    to: plan.found.table.name.clone(),
                });
            }
        }
        Adoption { tables, views, foreign_keys }
    }
}
