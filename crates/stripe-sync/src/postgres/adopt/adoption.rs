//! Describes what an adoption will do before it starts.

use super::plan::TablePlan;
use super::survey::Survey;

/// Tables of a TypeScript stripe-sync-engine that [`crate::StripeSync::migrate`] adopts in place.
/// Each table is rewritten in a transaction of its own, which blocks reads and writes of the table.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Adoption {
    /// The tables, the largest first.
    pub tables: Vec<AdoptionTable>,
    /// Views that are recreated in the same transaction as their table.
    pub views: Vec<String>,
    /// Foreign keys of other tables. They need ids that are unique on their own, so the schema can
    /// then hold only one account.
    pub foreign_keys: Vec<KeptForeignKey>,
}

/// One table to adopt.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct AdoptionTable {
    /// Without the table prefix.
    pub name: String,
    /// PostgreSQL's estimate; `None` if the table was never analyzed.
    pub rows: Option<u64>,
    /// Including indexes and TOAST.
    pub bytes: u64,
}

/// A foreign key that refers to an adopted table.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct KeptForeignKey {
    /// The name of the constraint.
    pub name: String,
    /// The table that has it.
    pub from: String,
    /// The table it refers to.
    pub to: String,
}

impl Adoption {
    /// How many bytes are rewritten in total.
    pub fn bytes(&self) -> u64 {
        self.tables.iter().map(|t| t.bytes).sum()
    }

    /// The disk space that is needed temporarily: the old and the new copy of the largest table
    /// exist side by side until its transaction ends. The write-ahead log needs the same amount in
    /// addition.
    pub fn largest(&self) -> u64 {
        self.tables.iter().map(|t| t.bytes).max().unwrap_or(0)
    }

    /// Describes the plans.
    pub(super) fn new(survey: &Survey, plans: &[TablePlan<'_>]) -> Adoption {
        let mut tables: Vec<AdoptionTable> = plans
            .iter()
            .map(|plan| AdoptionTable {
                name: plan.found.table.name.clone(),
                rows: u64::try_from(plan.found.rows).ok(),
                bytes: u64::try_from(plan.found.bytes).unwrap_or(0),
            })
            .collect();
        tables.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
        let plan_of = |oid: u32| plans.iter().find(|plan| plan.found.oid == oid);
        let views = survey
            .views
            .iter()
            .filter(|view| view.tables.iter().any(|oid| plan_of(*oid).is_some()))
            .map(|view| view.name.clone())
            .collect();
        let mut foreign_keys = Vec::new();
        for key in &survey.incoming {
            let inside = survey.tables.iter().any(|t| t.oid == key.from);
            if let (Some(plan), false) = (plan_of(key.to), inside) {
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
